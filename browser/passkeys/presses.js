// Handles a press of a passkey button, and shows the result beside the button.
import { under } from "../shared/dom.js";
import { add, meaningOf, signIn } from "./ceremonies.js";
import { followLogin, hold } from "./filled_in.js";
import { answerOffer } from "./offer.js";

document.addEventListener("click", (event) => {
  const button = under(event, "[data-passkey]");
  if (button instanceof HTMLButtonElement && !button.disabled) void act(button);
});

/** @param {HTMLButtonElement} button */
async function act(button) {
  const what = button.dataset.passkey ?? "";
  if (what === "later") return answerOffer();
  const place = /** @type {HTMLElement | null} */ (button.closest("[data-passkey-place]"));
  button.disabled = true;
  hold();
  say(place, "asking");
  try {
    if (what === "add") await add();
    else await signIn(what, button.dataset.passkeyTicket ?? "");
    say(place, what === "add" ? "added" : "");
    if (what === "add") await added();
  } catch (error) {
    await refuse(place, error);
  } finally {
    button.disabled = false;
    // A disabled button loses the focus. A keyboard user would have to find the place again.
    if (document.activeElement === document.body) button.focus();
  }
}

async function added() {
  document.getElementById("passkeys-changed")?.click();
  await answerOffer(true);
}

/**
 * @param {HTMLElement | null} place
 * @param {unknown} error
 */
async function refuse(place, error) {
  const { word = "", text, why } = meaningOf(error);
  if (why === "signed_out") return void document.dispatchEvent(new CustomEvent("portal:signed-out")); // to account/session_end.js
  say(place, why === "prove" ? why : word, text);
  if (why === "prove") document.getElementById("passkeys-prove")?.click();
  followLogin();
}

/**
 * @param {HTMLElement | null} place
 * @param {string} word
 * @param {string} [text] shown where the place has no such text
 */
function say(place, word, text) {
  const status = place?.querySelector("[role=status]");
  if (status) status.textContent = status.getAttribute(`data-${word}`) ?? text ?? "";
}
