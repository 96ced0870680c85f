// «Версия для слабовидящих»: a button in the header changes the page in place. The server keeps the choice in a cookie and answers
// with the resulting look. It writes the same look into every later page. Without this module the browser posts the form and reloads.
import { all, element, under } from "../shared/dom.js";

const STYLESHEET = "/low_vision.css";
const NOT_KEPT = "Не получилось изменить вид: нет связи с порталом. Попробуйте ещё раз.";
const root = document.documentElement;
/** @typedef {Record<string, string>} Look the value of each setting by its name; empty for the ordinary version */

const PREFIX = "data-vision-";
/** @returns {Look} */
const shown = () =>
  Object.fromEntries(
    [...root.attributes].filter((one) => one.name.startsWith(PREFIX)).map((one) => [one.name.slice(PREFIX.length), one.value]),
  );

let wanted = shown(); // first the look that the server wrote into the page, later the look that the patient chose

// The app may draw the root again and lose what the server wrote into it.
new MutationObserver(showVision).observe(root, { attributes: true });

document.addEventListener("click", (event) => {
  const button = under(event, "button[data-vision]");
  if (!(button instanceof HTMLButtonElement) || !button.form) return;
  event.preventDefault();
  void choose(button, button.form);
});

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLFormElement} form
 */
async function choose(button, form) {
  const said = element("vision-status");
  const body = new URLSearchParams({ [button.name]: button.value });
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  said.textContent = answer?.ok ? "" : NOT_KEPT;
  if (!answer?.ok) return;
  /** @type {Look} */
  const look = await answer.json();
  if (Object.keys(look).length > 0) await styled();
  wanted = look;
  showVision();
  if (button.name === "version") followSwitch(button.value === "low");
}

/**
 * The pressed button is gone, so the focus goes to the element that replaced it.
 * @param {boolean} low
 */
function followSwitch(low) {
  const panel = /** @type {HTMLDetailsElement} */ (element("vision-panel"));
  panel.open = low;
  const next = low ? panel.querySelector("summary") : document.querySelector(".vision-off button");
  if (next instanceof HTMLElement) next.focus();
}

/** Resolves when the stylesheet of the look is loaded (or has failed). A look without its styles would be shown by halves. */
function styled() {
  if (document.querySelector(`link[href="${STYLESHEET}"]`)) return Promise.resolve();
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = STYLESHEET;
  return new Promise((resolve) => {
    link.onload = link.onerror = () => resolve(undefined);
    document.head.append(link);
  });
}

/** Applies the chosen look, and marks the buttons of the choices. It repairs a header that the app has drawn again, too. */
export function showVision() {
  const now = shown();
  for (const name of Object.keys(now)) if (!(name in wanted)) root.removeAttribute(PREFIX + name);
  for (const [name, word] of Object.entries(wanted)) if (now[name] !== word) root.setAttribute(PREFIX + name, word);
  for (const button of /** @type {HTMLButtonElement[]} */ (all("button[data-vision][aria-pressed]"))) {
    const pressed = String(wanted[button.name] === button.value);
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  }
}
