// What the pages of the account do by themselves, and the start page for a patient who was there.
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

/** Called after the page's other observer begins: where both have something to focus, this has the last word. */
export function startAccount() {
  const everywhere = { childList: true, subtree: true, attributes: true, attributeFilter: WATCHED };
  new MutationObserver(look).observe(document.documentElement, everywhere);
  look();
}
