// Whether this browser, on this address, can.
import { host } from "./server.js";

export async function canUse() {
  const api = window.PublicKeyCredential;
  if (!api?.parseCreationOptionsFromJSON || !api.parseRequestOptionsFromJSON || !api.prototype.toJSON) return false;
  const made = await host().catch(() => "");
  return made === location.hostname;
}

/**
 * On the root: the app draws the places again, and takes away what a script has put there.
 * @param {boolean} can
 */
export function showPlaces(can) {
  document.documentElement.dataset.passkeys = can ? "on" : "off";
}
