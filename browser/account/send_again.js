// The server may refuse a form until the patient proves who they are. After the proof this script sends the form again with what is
// still in its fields. Passwords are kept nowhere else, so the patient would have to type them again.
import { all } from "../shared/dom.js";

/** @type {WeakMap<Element, string>} */
const known = new WeakMap();

/** Sends each form whose number of proofs has grown since it was drawn. */
export function sendAgain() {
  for (const form of /** @type {HTMLFormElement[]} */ (all("form[data-send-again]"))) {
    const proofs = form.dataset.sendAgain ?? "";
    const before = known.get(form) ?? proofs;
    known.set(form, proofs);
    if (Number(proofs) > Number(before)) form.requestSubmit();
  }
}
