// «Подставить надёжный пароль»: the server makes a password, and this script puts it, readable, into the fields that the button names.
import { element, under } from "../shared/dom.js";

document.addEventListener("click", (event) => {
  const button = under(event, "[data-suggest]");
  if (button) void suggest(button);
});

/** @param {HTMLElement} button */
async function suggest(button) {
  const answer = await fetch(button.dataset.suggestFrom ?? "", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return say(button, "data-failed");
  const { password } = await answer.json();
  for (const id of (button.dataset.suggest ?? "").split(" ")) {
    const input = /** @type {HTMLInputElement} */ (element(id));
    input.value = password;
    input.type = "text";
    document.querySelector(`[data-reveal="${id}"]`)?.setAttribute("aria-pressed", "true");
  }
  say(button, "data-filled");
}

/**
 * @param {HTMLElement} button
 * @param {string} what
 */
function say(button, what) {
  const place = button.parentElement?.querySelector("[role=status]");
  if (place) place.textContent = button.getAttribute(what);
}
