// Keeps what a patient types or chooses when a step is drawn again after a lost connection. It is only in the page's memory. A
// password is forgotten with its field, a choice with its step, as soon as the server has said that another step is on the screen.
import { all } from "../shared/dom.js";

const TYPED = ".wizard .input";
const PASSWORDS = "[autocomplete$=password]";
const CHOICES = ".wizard [type=radio]";
const ELSEWHERE = ".wizard[data-loaded=yes]:not([data-step=phone])";
/** @type {Set<string>} */
const passwords = new Set();
/** @type {Map<string, string>} */
const typed = new Map();
/** @type {Map<string, string>} */
const chosen = new Map(); // the id of the choice by the name of the group
/** @type {WeakSet<Element>} */
const drawn = new WeakSet();

document.addEventListener("input", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement)) return;
  if (input.matches(CHOICES)) chosen.set(input.name, input.id);
  if (!input.matches(TYPED)) return;
  typed.set(input.id, input.value);
  if (input.matches(PASSWORDS)) passwords.add(input.id);
});

/** Gives fields that were drawn again their text back, and choices their selection. */
export function restoreTyped() {
  restoreChosen();
  for (const input of /** @type {HTMLInputElement[]} */ (all(TYPED))) {
    if (drawn.has(input)) continue;
    drawn.add(input);
    const kept = typed.get(input.id);
    if (!input.value && kept !== undefined) input.value = kept;
  }
  if (document.querySelector(".wizard[data-loaded=yes]")) passwords.forEach(forgetWithItsField);
}

// A choice under «Другие способы» is not on the page until the server has sent those ways again.
function restoreChosen() {
  if (document.querySelector(ELSEWHERE)) chosen.clear();
  for (const input of /** @type {HTMLInputElement[]} */ (all(CHOICES))) {
    if (drawn.has(input)) continue;
    drawn.add(input);
    if (chosen.get(input.name) !== input.id || input.checked) continue;
    input.checked = true;
    const around = input.closest("details");
    if (around) around.open = true;
  }
}

/** @param {string} id */
function forgetWithItsField(id) {
  if (document.getElementById(id)) return;
  typed.delete(id);
  passwords.delete(id);
}

/** Another recovery begins, or none: the kept texts belong to the last one. */
export function forgetTyped() {
  typed.clear();
  passwords.clear();
}
