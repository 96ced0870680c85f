// Whether this browser can use passkeys at this address.
import { host } from "./server.js";

export async function canUse() {
  const api = window.PublicKeyCredential;
  if (!api?.parseCreationOptionsFromJSON || !api.parseRequestOptionsFromJSON || !api.prototype.toJSON) return false;
  const made = await host().catch(() => "");
  return made === location.hostname;
}

/**
 * Sets the mark on the root element: the app redraws the places, and that removes what a script has put there.
 * @param {boolean} can
 */
export function showPlaces(can) {
  document.documentElement.dataset.passkeys = can ? "on" : "off";
}
