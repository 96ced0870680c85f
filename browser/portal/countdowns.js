// The time until a new code may be asked for, drawn four times a second and spoken three times in all.
import { all } from "../shared/dom.js";

const LOOK_MS = 250;
/** @typedef {{ mark: string, end: number, said: string | null }} Countdown */
/** @type {WeakMap<Element, Countdown>} */
const countdowns = new WeakMap();

/** @param {number} seconds */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

/**
 * `end` is of performance.now(): the clock of the device may be set meanwhile.
 * @param {HTMLElement} place
 */
function countdownOf(place) {
  const mark = `${place.dataset.countdownKey}/${place.dataset.countdown}`;
  let known = countdowns.get(place);
  if (known?.mark !== mark) {
    known = { mark, end: performance.now() + Number(place.dataset.countdown) * 1000, said: null };
    countdowns.set(place, known);
  }
  return known;
}

function tick() {
  for (const place of all("[data-countdown]")) {
    const countdown = countdownOf(place);
    const left = Math.max(0, Math.ceil((countdown.end - performance.now()) / 1000));
    const text = `, через ${clock(left)}`;
    if (place.textContent !== text) place.textContent = text;
    speak(countdown, left);
  }
}

/**
 * A screen reader hears the start, 30 seconds and the end; the numbers between are silent.
 * @param {Countdown} countdown
 * @param {number} left
 */
function speak(countdown, left) {
  const said = left === 0 ? "Можно запросить новый код." : left <= 30 ? "Осталось 30 секунд." : "Идёт отсчёт до нового кода.";
  if (countdown.said === said || (left < 30 && left > 0 && countdown.said === null)) return;
  countdown.said = said;
  const voice = document.querySelector("[data-countdown-voice]");
  if (voice) voice.textContent = said;
}

export const startCountdowns = tick;
setInterval(tick, LOOK_MS);
