// What is being typed survives when a step is drawn again after a lost connection. In the page's memory only. A password is
// forgotten with its field: as soon as the server has said that another step is on the screen.
import { all } from "../shared/dom.js";

const TYPED = ".wizard .input";
const PASSWORDS = "[autocomplete$=password]";
/** @type {Set<string>} */
const passwords = new Set();
/** @type {Map<string, string>} */
const typed = new Map();
/** @type {WeakSet<Element>} */
const drawn = new WeakSet();

document.addEventListener("input", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.matches(TYPED)) return;
  typed.set(input.id, input.value);
  if (input.matches(PASSWORDS)) passwords.add(input.id);
});

/** Fields that were drawn again get their text back. */
export function restoreTyped() {
  for (const input of /** @type {HTMLInputElement[]} */ (all(TYPED))) {
    if (drawn.has(input)) continue;
    drawn.add(input);
    const kept = typed.get(input.id);
    if (!input.value && kept !== undefined) input.value = kept;
  }
  if (document.querySelector(".wizard[data-loaded=yes]")) passwords.forEach(forgetWithItsField);
}

/** @param {string} id */
function forgetWithItsField(id) {
  if (document.getElementById(id)) return;
  typed.delete(id);
  passwords.delete(id);
}

/** Another recovery begins, or none: what was typed belongs to the last one. */
export function forgetTyped() {
  typed.clear();
  passwords.clear();
}
