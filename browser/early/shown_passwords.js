// The button beside a password shows what was typed.
import { element, under } from "../shared/dom.js";

document.addEventListener("click", (event) => {
  const button = under(event, "[data-reveal]");
  if (!button) return;
  const input = /** @type {HTMLInputElement} */ (element(button.dataset.reveal));
  const show = input.type === "password";
  input.type = show ? "text" : "password";
  button.setAttribute("aria-pressed", String(show));
});
