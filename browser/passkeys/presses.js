// A press of one of the buttons, and what came of it, beside it.
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
    // A disabled button has lost the focus, and with it the place of who uses the keyboard.
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
  if (why === "signed_out") return location.assign("/?login=again");
  say(place, why === "prove" ? why : word, text);
  if (why === "prove") document.getElementById("passkeys-prove")?.click();
  followLogin();
}

/**
 * @param {HTMLElement | null} place
 * @param {string} word
 * @param {string} [text] where the place has no word of its own
 */
function say(place, word, text) {
  const status = place?.querySelector("[role=status]");
  if (status) status.textContent = status.getAttribute(`data-${word}`) ?? text ?? "";
}
