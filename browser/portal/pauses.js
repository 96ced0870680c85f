// A patient can stop what moves by itself (ПП РФ № 102 of 2026; WCAG 2.2.2): the countdown, and the words about a code's delivery.
// The clock time beside the countdown and the buttons stay.
import { all, under } from "../shared/dom.js";

let paused = false;
/** @type {Map<HTMLElement, HTMLElement>} each text that the app goes on changing, and the fixed copy shown instead */
const kept = new Map();

export const isPaused = () => paused;

export function resume() {
  paused = false;
  for (const [text, words] of kept) {
    words.remove();
    text.hidden = false;
  }
  kept.clear();
  showPauses();
}

function pause() {
  paused = true;
  for (const text of all("[data-moving]")) {
    const words = /** @type {HTMLElement} */ (text.cloneNode(true));
    for (const name of ["role", "id", "data-moving"]) words.removeAttribute(name);
    text.before(words);
    text.hidden = true;
    kept.set(text, words);
  }
  showPauses();
}

/** Makes each button say what it does now, including buttons that the app has drawn again. */
export function showPauses() {
  for (const button of all("[data-pause]")) {
    const state = paused ? "stopped" : "running";
    if (button.dataset.pause !== state) button.dataset.pause = state;
  }
}

document.addEventListener("click", (event) => {
  if (!under(event, "[data-pause]")) return;
  if (paused) resume();
  else pause();
});
