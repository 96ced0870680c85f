// The browser offers the portal's passkeys among its suggestions for the phone field of the sign-in dialog. For that, one request
// waits while the dialog is open. It is renewed before its challenge expires.
import { meaningOf, signIn, stopAsking } from "./ceremonies.js";
import { Refused } from "./server.js";

const ANEW_MS = 4 * 60 * 1000; // a challenge lives for five minutes
/** @type {ReturnType<typeof setTimeout> | undefined} */
let anew;
let open = false;
let round = 0; // grows when a wait that has not asked yet must stop: at a press, a closed dialog or a later wait

const dialog = () => /** @type {HTMLDialogElement | null} */ (document.getElementById("login"));

/** Starts to wait if the dialog is open. The observer below follows the dialog from then on. */
export function followLogin() {
  if (dialog()?.open) void wait();
}

/** The patient has pressed a button, and a renewed request would abort that ceremony. `followLogin` resumes the wait. */
export function hold() {
  clearTimeout(anew);
  round += 1;
}

// «Назад» brings the page back as it was left, but the browser has ended its waiting request.
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
    // The patient pressed nothing, so show only what the server says about the chosen key.
    const { text } = meaningOf(error);
    const status = place?.querySelector("[role=status]");
    if (text && status) status.textContent = text;
    if (error instanceof Refused && error.ofAnswer) followLogin(); // the patient may try another key, or the same one again
  }
}
