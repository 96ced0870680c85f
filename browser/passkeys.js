// Sign-in by the device's fingerprint, face or PIN (Web Authentication, level 3). portal/passkeys.js loads this script.
import { canUse, showPlaces } from "./passkeys/able.js";
import { offerOnce } from "./passkeys/offer.js";
import { followLogin } from "./passkeys/filled_in.js";
import "./passkeys/presses.js";

async function start() {
  const can = await canUse();
  showPlaces(can);
  if (!can) return;
  followLogin();
  await offerOnce();
}

void start();
