// The passkeys of this portal among what the browser fills into the telephone's field of the open sign-in dialog: one question waits
// while the dialog is open, and is asked anew before its challenge ends.
import { meaningOf, signIn, stopAsking } from "./ceremonies.js";
import { Refused } from "./server.js";

const ANEW_MS = 4 * 60 * 1000; // a challenge lives for five minutes
/** @type {ReturnType<typeof setTimeout> | undefined} */
let anew;
let open = false;
let round = 0; // counts what ends a wait that has not asked yet: a press, the closed dialog, a later wait

const dialog = () => /** @type {HTMLDialogElement | null} */ (document.getElementById("login"));

/** Looks now, and whenever the dialog opens or closes. */
export function followLogin() {
  if (dialog()?.open) void wait();
}

/** Somebody presses a button: to ask anew would end what they are at. `followLogin` goes on. */
export function hold() {
  clearTimeout(anew);
  round += 1;
}

// A page that comes back by «Назад» as it was left: the browser ended what waited there.
addEventListener("pageshow", (event) => {
  if (event.persisted) followLogin();
});

new MutationObserver(() => {
  const now = dialog()?.open ?? false;
  if (now === open) return;
  open = now;
  if (open) void wait();
  else stop();
}).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["open"] });

function stop() {
  hold();
  stopAsking();
}

async function wait() {
  open = true;
  hold();
  const mine = round;
  const can = await PublicKeyCredential.isConditionalMediationAvailable?.();
  if (!can || mine !== round) return;
  anew = setTimeout(() => void wait(), ANEW_MS);
  const place = dialog()?.querySelector("[data-passkey-place]");
  const button = /** @type {HTMLElement | null} */ (place?.querySelector("[data-passkey]") ?? null);
  try {
    await signIn("sign_in", button?.dataset.passkeyTicket ?? "", "conditional");
  } catch (error) {
    // Nobody pressed anything: only what the server says of a chosen key is told.
    const { text } = meaningOf(error);
    const status = place?.querySelector("[role=status]");
    if (text && status) status.textContent = text;
    if (error instanceof Refused && error.ofAnswer) followLogin(); // with another key, or once more
  }
}
