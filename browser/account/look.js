// What the account's pages do by themselves. It runs on the start page too, for a patient who comes from the account.
import { followDraft } from "./drafts.js";
import { focusAsked, focusRevealed } from "./focus.js";
import { sendAgain } from "./send_again.js";
import "./session_end.js";

const WATCHED = ["data-focus", "data-draft", "data-draft-saved", "data-owner", "data-send-again"];

function look() {
  followDraft();
  focusRevealed();
  focusAsked();
  sendAgain();
}

/** Call it after the page's other observer starts: where both want to move the focus, this one wins. */
export function startAccount() {
  const everywhere = { childList: true, subtree: true, attributes: true, attributeFilter: WATCHED };
  new MutationObserver(look).observe(document.documentElement, everywhere);
  look();
}
