// The focus goes to a new page, a new step and a new mistake; the page's title begins with the mistake.
import { all } from "../shared/dom.js";
import { forgetSubmits } from "./submits.js";

/** @type {string | undefined | null} */
let step = null;
/** @type {string | undefined | null} */
let errorNo = null;

/** @type {Element | null} */
let heading = null;
let path = location.pathname;

/** A page that the app led to, without loading it, gets the focus at its heading, unless something on it has the focus already. */
export function followPage() {
  const [now] = all("main h1");
  if (!now || now === heading) return;
  const isNew = heading !== null && location.pathname !== path;
  heading = now;
  if (!isNew) return;
  path = location.pathname;
  const active = document.activeElement;
  if (active?.closest("main, dialog") && active.id !== "main") return;
  now.tabIndex = -1;
  now.focus();
}

/** A step that replaced another one gets the focus at its heading. */
export function followStep() {
  const [wizard] = all("[data-step]");
  if (!wizard || wizard.dataset.step === step) return;
  if (step !== null) document.getElementById("step-title")?.focus();
  step = wizard.dataset.step;
}

/** A new mistake gets the focus. */
export function followMistake() {
  const [summary] = all(".error-summary[data-error-no]");
  if (!summary) errorNo = null;
  else if (summary.dataset.errorNo !== errorNo) {
    errorNo = summary.dataset.errorNo;
    forgetSubmits();
    summary.focus();
  }
}

/** A screen reader says the title first, so it begins with the mistake (GOV.UK's habit for error pages). */
export function nameTheMistake() {
  const plain = document.title.replace(/^Ошибка: /, "");
  const wanted = all(".error-summary").some((one) => one.checkVisibility()) ? `Ошибка: ${plain}` : plain;
  if (location.pathname !== "/login-failed" && document.title !== wanted) document.title = wanted;
}
