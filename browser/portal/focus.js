// The focus goes to a new step and to a new mistake; the page's title begins with the mistake.
import { all } from "../shared/dom.js";
import { forgetSubmits } from "./submits.js";

/** @type {string | undefined | null} */
let step = null;
/** @type {string | undefined | null} */
let errorNo = null;

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
