// A form that was refused until the patient proved who is asking is sent by itself after the proof, with what is still in its fields:
// passwords are kept nowhere else, and would have to be typed again.
import { all } from "../shared/dom.js";

/** @type {WeakMap<Element, string>} */
const known = new WeakMap();

/** Send each form whose number of proofs has grown since it was drawn. */
export function sendAgain() {
  for (const form of /** @type {HTMLFormElement[]} */ (all("form[data-send-again]"))) {
    const proofs = form.dataset.sendAgain ?? "";
    const before = known.get(form) ?? proofs;
    known.set(form, proofs);
    if (Number(proofs) > Number(before)) form.requestSubmit();
  }
}
