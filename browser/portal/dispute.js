// Puts the token of a link «это не я», which early/dispute_token.js kept, into the form of that page.
import { all } from "../shared/dom.js";
import { DISPUTE_KEY, forget, remembered } from "../shared/tab_storage.js";

/** Fills the token in, or forgets it once it is used or refused. */
export function fillDisputes() {
  if (document.querySelector("[data-dispute-over=yes]")) {
    forget(DISPUTE_KEY);
    delete window.medonlineDispute;
  }
  for (const input of /** @type {HTMLInputElement[]} */ (all("[data-fill=dispute]"))) {
    const token = window.medonlineDispute ?? remembered(DISPUTE_KEY) ?? "";
    if (!input.value && token) input.value = token;
  }
}
