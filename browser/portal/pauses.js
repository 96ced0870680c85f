// What moves by itself can be stopped (ПП РФ № 102 of 2026; WCAG 2.2.2): the countdown, and the words of how a code is delivered.
// The clock time beside the countdown stays, and so do the buttons.
import { all, under } from "../shared/dom.js";

let paused = false;
/** @type {Map<HTMLElement, HTMLElement>} what the app goes on writing, and the words that are shown instead */
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

/** The buttons say what they do now, also those that the app has drawn again. */
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
