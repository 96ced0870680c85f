// Every press gets an answer. A form whose connection broke is sent again over the next one. A press without a connection waits for
// one. The patient reads when the answer takes long, and when there is none.
// The server handles events in order. So a mark follows each press, and comes back once the press was handled.
import { all, under } from "../shared/dom.js";
import { isHydrated } from "../shared/hydration.js";
import { mayLeave } from "../shared/may_leave.js";
import { PAGE } from "./tickets.js";

const FIELD = "press"; // the field of the form's message that holds the number of the press
const EVENTS = "42/_event,";
const SLOW_MS = 4000;
const LOST_MS = 60_000;
const PRESS_MS = 200; // the app sends a button's event within this time
const TIMES = 3; // how often a form is sent at most, when one connection breaks after another
const ROUNDS = 2; // so many probes must come back after a new connection before the page's own load is over
const SLOW = "Портал пока не отвечает. Ждём ответа, всё введённое останется на месте.";
const NOT_SENT = "Не отправлено: связи с порталом нет. Проверьте интернет и нажмите ещё раз, всё введённое осталось на месте.";
const NO_ANSWER = "Ответа нет, и дошло ли отправленное, неизвестно. Проверьте интернет и нажмите ещё раз.";
const LOOK = "Связь прерывалась. Посмотрите, что теперь на странице: если ничего не изменилось, нажмите ещё раз.";

/**
 * @typedef {object} Press
 * @property {HTMLElement} place the form or the button
 * @property {string} frame the frame that was sent; empty before that
 * @property {WebSocket | null} socket the socket that sent it last
 * @property {number} times how often it was sent
 * @property {number[]} timers
 */
/** @type {Map<number, Press>} */
const presses = new Map();
/** @type {Map<HTMLElement, { act: () => void, timers: number[] }>} */
const held = new Map(); // presses that wait for a connection
/** @type {WeakSet<HTMLElement>} */
const pressedMeanwhile = new WeakSet(); // forms that the patient changed and sent again before the answer
/** @type {WeakMap<HTMLFormElement, number>} */
const numbers = new WeakMap();
let last = 0;
let joined = window.medonlineSocket?.joined ?? null;
let settled = true; // whether the page's load after a new connection is over
let round = 0;
/** @type {HTMLElement | null} */
let pressed = null;

const isConnected = () => joined !== null && settled;
const mark = () => /** @type {HTMLElement | undefined} */ (all("[data-answered]")[0]);
/** @param {HTMLElement} place */
const isUnderWay = (place) => held.has(place) || [...presses.values()].some((press) => press.place === place);

/**
 * @param {HTMLElement} place
 * @param {boolean} busy
 */
function showWork(place, busy) {
  const button = place instanceof HTMLFormElement ? place.querySelector("button[type=submit]") : place;
  if (busy) button?.setAttribute("aria-busy", "true");
  else button?.removeAttribute("aria-busy");
}

/** @param {string} text */
function say(text) {
  for (const place of all("[data-news]")) {
    place.hidden = text === "";
    if (place.textContent !== text) place.textContent = text;
  }
}

/** @param {() => void} giveUp */
const patience = (giveUp) => [setTimeout(sayThatItTakesLong, SLOW_MS), setTimeout(giveUp, LOST_MS)];

function sayThatItTakesLong() {
  if (!document.querySelector(".connection-banner:not([data-news], [hidden])")) say(SLOW); // the app's own banner says it already
}

// --- a press, from the patient to its answer ---------------------------------------------------------------------------

/**
 * The app is about to send a form. Returns false when it must not: the form is under way already, or waits for a connection.
 * The answer is on the screen a moment before its mark is back. What a patient types in that moment must not be lost.
 * @param {HTMLFormElement} form
 * @param {boolean} isNew whether its content differs from the one under way, or that one was answered with a mistake
 */
export function maySend(form, isNew) {
  if (isUnderWay(form)) {
    if (isNew && !held.has(form)) pressedMeanwhile.add(form); // a held form is sent with the content that it has by then
    return false;
  }
  if (isConnected()) return true;
  const id = form.querySelector("input:not([type=hidden])")?.id ?? "";
  const entries = [...new FormData(form)];
  hold(form, () => sendHeld(form, id, entries));
  return false;
}

/** @param {HTMLFormElement} form */
export function sending(form) {
  numbers.set(form, begin(form));
  setTimeout(() => numbers.delete(form));
}

/**
 * The app did not take the form: `portal/submits.js` will send it once more.
 * @param {HTMLFormElement} form
 */
export function notTaken(form) {
  for (const [number, press] of presses) if (press.place === form && !press.frame) finish(number, "");
}

document.addEventListener("formdata", (event) => {
  const number = event.target instanceof HTMLFormElement ? numbers.get(event.target) : undefined;
  if (number) event.formData.set(FIELD, `${PAGE}.${number}`);
});

// Only the app's buttons have a React handler. The buttons of the other scripts have none.
document.addEventListener(
  "click",
  (event) => {
    const button = under(event, "button[type=button]");
    if (!button || !isHydrated(button) || !hasHandler(button)) return;
    if (isUnderWay(button) || !isConnected()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!isUnderWay(button)) holdButton(button);
      return;
    }
    pressed = button;
    setTimeout(() => pressed === button && (pressed = null), PRESS_MS);
  },
  true,
);

/** @param {HTMLElement} button */
function hasHandler(button) {
  const key = Object.keys(button).find((one) => one.startsWith("__reactProps"));
  return key !== undefined && /** @type {any} */ (button)[key].onClick !== undefined;
}

/**
 * @param {HTMLElement} place
 * @returns {number}
 */
function begin(place) {
  const number = ++last;
  say("");
  showWork(place, true);
  const timers = patience(() => finish(number, presses.get(number)?.frame ? NO_ANSWER : NOT_SENT));
  presses.set(number, { place, frame: "", socket: null, times: 0, timers });
  return number;
}

/**
 * @param {number} number
 * @param {string} news
 */
function finish(number, news) {
  const press = presses.get(number);
  if (!press) return;
  presses.delete(number);
  press.timers.forEach(clearTimeout);
  showWork(press.place, false);
  if (news || (presses.size === 0 && held.size === 0)) say(news);
  if (!pressedMeanwhile.delete(press.place) || news) return; // after a message the patient looks first
  setTimeout(() => {
    // The answer may have closed the form's dialog, or the page may be leaving because of it.
    if (press.place.isConnected && press.place.checkVisibility() && mayLeave()) /** @type {HTMLFormElement} */ (press.place).requestSubmit();
  });
}

/** If the mark of a press came back, that press and all earlier ones are answered. Called after each change of the page. */
export function takeAnswers() {
  const place = mark();
  if (!place) return;
  const [page, number] = (place.dataset.answered ?? "").split(".");
  if (page === PAGE) {
    for (const [one, press] of presses) {
      if (one > Number(number) || !press.frame) continue;
      finish(one, press.socket === joined ? "" : LOOK);
    }
  }
  if (!settled && place.dataset.probed === `${PAGE}.${round}`) void (round % ROUNDS === 0 ? settle() : probe());
}

// --- a press without a connection ------------------------------------------------------------------------------------------

/**
 * @param {HTMLElement} place
 * @param {() => void} act called when there is a connection
 */
function hold(place, act) {
  say("");
  showWork(place, true);
  held.set(place, { act, timers: patience(() => release(place, NOT_SENT)) });
}

/**
 * @param {HTMLElement} place
 * @param {string} news
 */
function release(place, news) {
  held.get(place)?.timers.forEach(clearTimeout);
  held.delete(place);
  showWork(place, false);
  if (news || (presses.size === 0 && held.size === 0)) say(news);
}

/**
 * The page may have drawn the form again. The new form then gets what was typed into the old one.
 * @param {HTMLFormElement} old
 * @param {string} id of its first field
 * @param {[string, FormDataEntryValue][]} entries
 */
function sendHeld(old, id, entries) {
  const form = old.isConnected ? old : /** @type {HTMLInputElement | null} */ (document.getElementById(id))?.form;
  if (!form) return say(LOOK);
  for (const [name, value] of entries) {
    const input = form.elements.namedItem(name);
    if (input instanceof HTMLInputElement && !input.value && typeof value === "string") input.value = value;
  }
  form.requestSubmit();
}

/**
 * A button that is pressed without a connection. What it does may have changed by the time there is one: the page is loaded again, and
 * rows of lists come and go. A wrong row would show a medical card to a stranger. So the button is pressed only while it is surely the
 * same one; otherwise the patient is told to look.
 * @param {HTMLElement} button
 */
function holdButton(button) {
  const words = wordsOf(button);
  const path = location.pathname;
  const inRow = button.closest("li") !== null;
  hold(button, () => {
    const same = button.isConnected ? button : inRow ? null : drawnAgain(button.id, words);
    if (same && wordsOf(same) === words && location.pathname === path) same.click();
    else say(LOOK);
  });
}

/**
 * The button with this id or, if it has none, the only visible one of the app with these words.
 * @param {string} id
 * @param {string | null} words
 */
function drawnAgain(id, words) {
  if (id) return document.getElementById(id);
  const found = all("button[type=button]").filter(
    (one) => wordsOf(one) === words && one.checkVisibility() && isHydrated(one) && hasHandler(one) && !one.closest("li"),
  );
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** @param {HTMLElement} button */
const wordsOf = (button) => button.getAttribute("aria-label") ?? button.textContent;

// --- the connection --------------------------------------------------------------------------------------------------------

addEventListener("socket:joined", (event) => {
  joined = /** @type {CustomEvent} */ (event).detail;
  settled = presses.size === 0 && held.size === 0;
  if (!settled) probe();
});

addEventListener("socket:ended", (event) => {
  if (/** @type {CustomEvent} */ (event).detail === joined) joined = null;
});

addEventListener("socket:sent", (event) => {
  const { socket, frame } = /** @type {CustomEvent<{ socket: WebSocket, frame: string }>} */ (event).detail;
  if (typeof frame !== "string" || !frame.includes('"router_data"')) return;
  if (!frame.startsWith(EVENTS) || isMark(frame)) return;
  let number = Number(frame.match(new RegExp(`"${FIELD}"[:,]"${PAGE}\\.(\\d+)"`))?.[1] ?? 0);
  if (!number && pressed) {
    number = begin(pressed);
    pressed = null;
  }
  const press = presses.get(number);
  if (!press) return;
  Object.assign(press, { frame, socket, times: press.times + 1 });
  queueMicrotask(() => sendMark(socket, "answer", number));
});

/** @param {string} frame */
const isMark = (frame) => frame.includes(`"name":"${mark()?.dataset.answers}.`);

/**
 * @param {WebSocket} socket
 * @param {"answer" | "probe"} verb
 * @param {number} number
 */
function sendMark(socket, verb, number) {
  const place = mark();
  if (!place || socket.readyState !== WebSocket.OPEN) return;
  const routed = window.medonlineSocket?.frame ?? "";
  const said = JSON.parse(routed.slice(routed.indexOf(",") + 1));
  const { router_data } = Array.isArray(said) ? said[1] : said.event;
  const call = { name: `${place.dataset.answers}.${verb}`, payload: { number: `${PAGE}.${number}` }, router_data };
  socket.send(`${EVENTS}${JSON.stringify(["event", call])}`);
}

// After each new connection the page loads its state again. That would clear any answer that came before the load is over.
function probe() {
  if (joined) sendMark(joined, "probe", ++round);
}

function settle() {
  settled = true;
  for (const [number, press] of presses) {
    if (!press.frame || press.socket === joined) continue;
    if (!(press.place instanceof HTMLFormElement) || press.times >= TIMES) finish(number, LOOK);
    else joined?.send(press.frame);
  }
  const waiting = [...held];
  for (const [place, { act }] of waiting) {
    release(place, "");
    act();
  }
}
