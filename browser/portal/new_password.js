// The password that was set at step 3 is in the sign-in form of the next screen, so that it is not typed again (docs/decisions/0029).
// It lies in the memory of this page alone: never in a storage, an address or an answer of the server; and for two minutes at most.
import { all } from "../shared/dom.js";

const LIFE_MS = 2 * 60 * 1000;
let password = "";
/** @type {HTMLInputElement | null} */
let filled = null;
/** @type {number | undefined} */
let timer;

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const typed = form.elements.namedItem("new_password");
  if (!(typed instanceof HTMLInputElement)) return;
  password = typed.value;
  clearTimeout(timer);
  timer = setTimeout(forgetNewPassword, LIFE_MS);
}, true);

/** Fill the sign-in form once, or forget the password where the wizard is at any other step. */
export function fillNewPassword() {
  const [wizard] = all("[data-step]");
  const step = wizard?.dataset.step;
  if (!password || step === "new_password") return; // refused or on its way: the next attempt replaces it
  const input = document.getElementById("login-password");
  if (step !== "done" || !(input instanceof HTMLInputElement)) return forgetNewPassword();
  if (!filled && !input.value) input.value = password;
  filled ??= input;
}

function forgetNewPassword() {
  // What the patient has typed over it stays.
  if (filled && filled.value === password) filled.value = "";
  password = "";
  filled = null;
}

addEventListener("pagehide", forgetNewPassword); // a page that Back brings out of the browser's cache has no password in it
