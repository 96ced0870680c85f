// What each page does by itself, before the app is connected and beside it. The scripts use no framework and no eval, because they
// run under a strict Content-Security-Policy. The modules listen to the patient. This file calls them after each change of the page.
import { startAccount } from "./account/look.js";
import { takeAnswers } from "./portal/answers.js";
import { fillPhones, showPhones } from "./portal/phone.js";
import { fillDisputes } from "./portal/dispute.js";
import { followMistake, followPage, followStep, nameTheMistake } from "./portal/focus.js";
import { fillNewPassword } from "./portal/new_password.js";
import { openAsked } from "./portal/asked_dialog.js";
import { loadPasskeys } from "./portal/passkeys.js";
import { postTickets } from "./portal/tickets.js";
import { followResumedStep } from "./portal/resumed_step.js";
import { restoreTyped } from "./portal/typed_texts.js";
import { showPauses } from "./portal/pauses.js";
import { showVision } from "./portal/low_vision.js";
import { awaitSms } from "./portal/web_otp.js";
import { startCountdowns } from "./portal/countdowns.js";
import "./portal/blocked_sockets.js";
import "./portal/departure.js";
import "./portal/menus.js";
import "./portal/submits.js";
import "./portal/suggested_passwords.js";

const WATCHED = [
  "data-step",
  "data-loaded",
  "data-error-no",
  "data-ticket",
  "data-dispute-over",
  "data-answered",
  "data-probed",
  "open",
];

function look() {
  showVision();
  followPage();
  followResumedStep();
  takeAnswers();
  followStep();
  followMistake();
  nameTheMistake();
  postTickets();
  restoreTyped();
  fillPhones();
  fillNewPassword();
  fillDisputes();
  showPhones();
  showPauses();
  openAsked();
  loadPasskeys();
  awaitSms();
}

function start() {
  const everywhere = { subtree: true, childList: true, attributes: true, attributeFilter: WATCHED };
  new MutationObserver(look).observe(document.body, everywhere);
  look();
  startCountdowns();
  startAccount();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
