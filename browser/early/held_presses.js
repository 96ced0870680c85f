// A patient can read a page and press its buttons before the app has started. Without this module, a form sent then would reload the
// page and lose what was typed, and a button would do nothing. This module holds both until the app listens.
import { under } from "../shared/dom.js";
import { isHydrated } from "../shared/hydration.js";

const LOOK_MS = 30;
const PATIENCE_MS = 20_000; // after this the app is not expected any more, and the browser does what it can without it
const BY_OTHER_SCRIPTS = "[data-menu], [data-dialog-open], [data-dialog-close], [data-reveal], [data-pause], [role=tab]";
/** @type {WeakSet<Element>} */
const held = new WeakSet();

/**
 * @param {Event} event
 * @param {Element} element
 * @param {() => void} act called when the app listens
 * @param {() => void} giveUp called when the app does not start in time
 */
function hold(event, element, act, giveUp) {
  if (isHydrated(element)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (held.has(element)) return; // two presses count as one
  held.add(element);
  const since = performance.now();
  const timer = setInterval(() => {
    const late = performance.now() - since > PATIENCE_MS;
    if (!isHydrated(element) && !late) return;
    clearInterval(timer);
    held.delete(element);
    if (isHydrated(element)) act();
    else giveUp();
  }, LOOK_MS);
}

/** @param {string} address */
const path = (address) => new URL(address, location.href).pathname.replace(/\/$/, "");

addEventListener(
  "submit",
  (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const action = form.getAttribute("action");
    // A form to another address is one of the server's own routes: the browser posts it without the app.
    if (action && path(action) !== path(location.href)) return;
    const { submitter } = event;
    hold(event, form, () => form.requestSubmit(submitter), () => HTMLFormElement.prototype.submit.call(form));
  },
  true,
);

addEventListener(
  "click",
  (event) => {
    const button = under(event, "button[type=button]");
    if (!button || button.matches(BY_OTHER_SCRIPTS)) return;
    hold(event, button, () => button.click(), () => {});
  },
  true,
);
