// The phone stays in this tab, so that a patient types it once. The server only shows it masked.
import { all } from "../shared/dom.js";
import { PHONE_KEY, remembered } from "../shared/tab_storage.js";

const phone = () => remembered(PHONE_KEY) ?? "";

/** @param {string} text */
function spelled(text) {
  const digits = text.replace(/\D/g, "").slice(-10);
  return digits.length === 10 ? digits.replace(/(...)(...)(..)(..)/, "+7 $1 $2-$3-$4") : "";
}

/**
 * @param {string} text
 * @param {string} mask
 */
function matchesMask(text, mask) {
  return text !== "" && mask !== "" && [...mask].every((sign, i) => sign === "*" || sign === text[i]);
}

/** Fills empty fields with the phone that was typed last. */
export function fillPhones() {
  for (const input of /** @type {HTMLInputElement[]} */ (all("[data-fill=phone]"))) {
    if (!input.value && phone()) input.value = phone();
  }
}

/** Shows the full phone instead of its mask, but only while the two match: another tab may be using another phone. */
export function showPhones() {
  const text = spelled(phone());
  for (const full of all("[data-show-phone]")) {
    const masked = full.previousElementSibling;
    const fits = matchesMask(text, masked?.textContent ?? "");
    const shown = fits ? text : "";
    if (full.textContent !== shown) full.textContent = shown; // setting even an equal text is a change, which would call this again
    if (masked instanceof HTMLElement) masked.hidden = fits;
  }
}
