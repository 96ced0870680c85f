// Menus that a button opens. A click elsewhere or Escape closes them.
// They do not use the `popover` attribute. A popover is drawn apart from its button. Placing it beside the button takes either CSS
// that many browsers lack (anchor positioning) or more script than this.
import { all, element, under } from "../shared/dom.js";

/**
 * @param {HTMLElement} button
 * @param {boolean} open
 */
function toggleMenu(button, open) {
  button.setAttribute("aria-expanded", String(open));
  element(button.dataset.menu).hidden = !open;
}

const openButtons = () => all("[data-menu][aria-expanded=true]");

document.addEventListener("keydown", (event) => {
  const [button] = event.key === "Escape" ? openButtons() : [];
  if (!button) return;
  toggleMenu(button, false);
  button.focus();
});

document.addEventListener("click", (event) => {
  const pressed = under(event, "[data-menu]");
  if (!under(event, ".menu")) {
    for (const button of openButtons()) if (button !== pressed) toggleMenu(button, false);
  }
  if (pressed) toggleMenu(pressed, pressed.getAttribute("aria-expanded") !== "true");
});
