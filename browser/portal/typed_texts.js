// What is being typed survives when a step is drawn again after a lost connection. In memory only, and never a password.
import { all } from "../shared/dom.js";

const TYPED = ".wizard .input:not([autocomplete$=password])";
/** @type {Map<string, string>} */
const typed = new Map();
/** @type {WeakSet<Element>} */
const drawn = new WeakSet();

document.addEventListener("input", (event) => {
  const input = event.target;
  if (input instanceof HTMLInputElement && input.matches(TYPED)) typed.set(input.id, input.value);
});

/** Fields that were drawn again get their text back. */
export function restoreTyped() {
  for (const input of /** @type {HTMLInputElement[]} */ (all(TYPED))) {
    if (drawn.has(input)) continue;
    drawn.add(input);
    const kept = typed.get(input.id);
    if (!input.value && kept !== undefined) input.value = kept;
  }
}

/** Another recovery begins, or none: what was typed belongs to the last one. */
export const forgetTyped = () => typed.clear();
