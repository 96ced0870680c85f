// Moves the focus to a new page, a new step or a new mistake. After a mistake the page's title begins with «Ошибка».
import { all } from "../shared/dom.js";
import { forgetSubmits } from "./submits.js";

/** @type {string | undefined | null} */
let step = null;
/** @type {string | undefined | null} */
let errorNo = null;

/** @type {Element | null} */
let heading = null;
let path = location.pathname;

/** Focuses the heading of a page that the app opened without a load, unless something on the page has the focus already. */
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

/** Focuses the heading of a step that replaced another one. */
export function followStep() {
  const [wizard] = all("[data-step]");
  if (!wizard || wizard.dataset.step === step) return;
  if (step !== null) document.getElementById("step-title")?.focus();
  step = wizard.dataset.step;
}

/** Focuses a new mistake. */
export function followMistake() {
  const [summary] = all(".error-summary[data-error-no]");
  if (!summary) errorNo = null;
  else if (summary.dataset.errorNo !== errorNo) {
    errorNo = summary.dataset.errorNo;
    forgetSubmits();
    summary.focus();
  }
}

/** A screen reader speaks the title first, so the title says that there is a mistake (GOV.UK does this on error pages). */
export function nameTheMistake() {
  const plain = document.title.replace(/^Ошибка: /, "");
  const wanted = all(".error-summary").some((one) => one.checkVisibility()) ? `Ошибка: ${plain}` : plain;
  if (location.pathname !== "/login-failed" && document.title !== wanted) document.title = wanted;
}
