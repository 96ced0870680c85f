// The time until the patient may ask for a new code. It is drawn four times a second, and spoken three times in all.
import { all } from "../shared/dom.js";
import { isPaused, resume } from "./pauses.js";

const LOOK_MS = 250;
const STOPPED = "Отсчёт остановлен.";
const OPEN = "Можно запросить новый код.";
const BEGUN = "Идёт отсчёт до нового кода.";
/** @typedef {{ mark: string, end: number, said: string | null }} Countdown */
/** @type {WeakMap<Element, Countdown>} */
const countdowns = new WeakMap();
let running = false;

/** @param {number} seconds */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

/**
 * `end` is a value of performance.now(), because somebody may set the device's clock meanwhile.
 * @param {HTMLElement} place
 */
function countdownOf(place) {
  const mark = `${place.dataset.countdownKey}/${place.dataset.countdown}`;
  let known = countdowns.get(place);
  if (known?.mark !== mark) {
    if (known) resume(); // a new code: the paused words about the last code are out of date
    known = { mark, end: performance.now() + Number(place.dataset.countdown) * 1000, said: null };
    countdowns.set(place, known);
  }
  return known;
}

function tick() {
  const places = all("[data-countdown]");
  for (const place of places) {
    const countdown = countdownOf(place);
    const left = Math.max(0, Math.ceil((countdown.end - performance.now()) / 1000));
    const text = isPaused() ? "" : `, ${place.dataset.countdownBefore ?? "через"} ${clock(left)}`;
    if (place.textContent !== text) place.textContent = text;
    if (isPaused()) say(STOPPED);
    else speak(place, countdown, left);
  }
  if (places.length === 0 && running) end();
  running = places.length > 0;
}

/**
 * A screen reader speaks the start, 30 seconds and the end, and none of the numbers between.
 * @param {HTMLElement} place may have texts of its own for the start and the end
 * @param {Countdown} countdown
 * @param {number} left
 */
function speak(place, countdown, left) {
  const { countdownOver: over = OPEN, countdownBegun: begun = BEGUN } = place.dataset;
  const said = left === 0 ? over : left <= 30 ? "Осталось 30 секунд." : begun;
  if ((countdown.said === said && voice()?.textContent !== STOPPED) || (left < 30 && left > 0 && countdown.said === null)) return;
  countdown.said = said;
  say(said);
}

/** The server may offer a new code before the countdown ends, and the countdown disappears. Then the last spoken text is wrong. */
function end() {
  if (isPaused()) resume(); // its button went with the countdown
  say(document.querySelector("[data-resend]") ? OPEN : "");
}

const voice = () => document.querySelector("[data-countdown-voice]");

/** @param {string} text */
function say(text) {
  const place = voice();
  if (place && place.textContent !== text) place.textContent = text;
}

export const startCountdowns = tick;
setInterval(tick, LOOK_MS);
