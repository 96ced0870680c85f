// The sign-in form after step 3 is filled with the new password, so that the patient does not type it again (docs/decisions/0029).
// The password is only in this page's memory, never in a storage, an address or a server's answer, and for two minutes at most.
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

/** Fills the sign-in form once. At any other step of the wizard it forgets the password. */
export function fillNewPassword() {
  const [wizard] = all("[data-step]");
  const step = wizard?.dataset.step;
  if (!password || step === "new_password") return; // the password was refused or is on its way: the next attempt replaces it
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

addEventListener("pagehide", forgetNewPassword); // Back may bring the page out of the browser's cache: it must have no password in it
