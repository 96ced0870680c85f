// What the pages of the account do by themselves. No framework and no eval, as in portal.js.
import { followDraft } from "./account/drafts.js";
import { focusAsked, focusRevealed } from "./account/focus.js";
import { sendAgain } from "./account/send_again.js";
import "./account/session_end.js";

const WATCHED = ["data-focus", "data-draft", "data-draft-saved", "data-owner", "data-send-again"];

function look() {
  followDraft();
  focusRevealed();
  focusAsked();
  sendAgain();
}

const everywhere = { childList: true, subtree: true, attributes: true, attributeFilter: WATCHED };
new MutationObserver(look).observe(document.documentElement, everywhere);
look();
