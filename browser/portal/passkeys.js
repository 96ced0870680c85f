// Loads the script for passkeys when a page or an open dialog has a place for them and the browser supports them.
import { all } from "../shared/dom.js";

let asked = false;

export function loadPasskeys() {
  if (asked || !all("[data-passkey-place]").some(isInSight)) return;
  asked = true;
  if (!isSecureContext || !("PublicKeyCredential" in window)) {
    document.documentElement.dataset.passkeys = "off";
    return;
  }
  const script = document.createElement("script");
  script.src = "/passkeys.js";
  document.head.append(script);
}

/** @param {HTMLElement} place */
function isInSight(place) {
  const dialog = place.closest("dialog");
  return !dialog || dialog.open;
}
