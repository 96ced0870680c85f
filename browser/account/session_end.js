// Warns before the session ends, and leaves the page when it is over.
import { element } from "../shared/dom.js";
import { mayLeave } from "../shared/may_leave.js";
import { sessionEnded } from "./drafts.js";

/** @typedef {{ idle: number, absolute: number }} Left seconds, as the server says them */

const WARN_S = 120;
const CLOCKS_MAY_DIFFER_MS = 3000; // the server sends whole seconds, and its answer takes a moment
/** @type {number | undefined} */
let timer;
let over = 0; // the Date.now() at which the session ends, by the server's last answer
let end = 0; // the same as performance.now(), while the warning is shown
let mayBeStale = location.pathname === "/";

/** @returns {HTMLElement | null} */
const account = () => document.querySelector("[data-session-left]");
const warning = () => /** @type {HTMLDialogElement | null} */ (document.getElementById("session-warning"));

/**
 * @param {string} address
 * @param {"GET" | "POST"} method
 * @returns {Promise<Left>}
 */
async function ask(address, method) {
  const answer = await fetch(address, { method, cache: "no-store", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** @param {number} seconds */
function lookAgainIn(seconds) {
  clearTimeout(timer);
  timer = setTimeout(watch, Math.max(1, seconds) * 1000);
}

// Asking does not prolong the session. So this page notices work in another tab, and an open page alone does not count as use.
async function watch() {
  const place = account();
  if (!place) return lookAgainIn(2);
  try {
    const left = await ask(place.dataset.sessionLeft ?? "", "GET");
    if (!place.isConnected) return lookAgainIn(2); // the app has gone to another page meanwhile
    showLeft(left);
  } catch {
    // There is no connection, and the banner says so already. Even so, the patient's data must not stay on the screen after the session.
    const left = (over - Date.now()) / 1000;
    if (over && left <= 0) return leave();
    lookAgainIn(over ? Math.min(left, 30) : 30);
  }
}

// A patient who was idle reads that on the start page. A session that ends before its time was ended by something else: a new
// password, another device, or the patient's own sign-out in another tab.
function leave() {
  if (!mayLeave()) return lookAgainIn(2);
  const wasIdle = over > 0 && Date.now() >= over - CLOCKS_MAY_DIFFER_MS;
  sessionEnded();
  location.assign(wasIdle ? "/?login=over" : "/?login=again");
}

// passkeys/presses.js sends this. A patient who presses a button was not idle, so the address never says «over».
document.addEventListener("portal:signed-out", () => {
  if (!mayLeave()) return;
  sessionEnded();
  location.assign("/?login=again");
});

/** @param {Left} left */
function showLeft(left) {
  const seconds = Math.min(left.idle, left.absolute);
  if (seconds <= 0 && !over && mayBeStale) {
    // Until the start page has loaded, the app still draws the header of the previous page. The start page says itself why it is shown.
    mayBeStale = false;
    return lookAgainIn(2);
  }
  if (seconds <= 0) return leave();
  over = Date.now() + seconds * 1000;
  if (seconds > WARN_S) {
    if (warning()?.open) warning()?.close();
    return lookAgainIn(Math.min(seconds - WARN_S, 600));
  }
  end = performance.now() + seconds * 1000;
  warn(left.absolute <= WARN_S);
  sayLeft();
  lookAgainIn(Math.min(seconds, 10));
}

/** @param {boolean} isFinal whether nothing can prolong the session any more */
function warn(isFinal) {
  const dialog = warning();
  if (!dialog || dialog.open) return;
  element("session-stay").hidden = isFinal;
  dialog.setAttribute("aria-labelledby", "session-warning-title");
  dialog.showModal();
  element("session-warning-title").focus();
}

function sayLeft() {
  const text = document.getElementById("session-warning-left");
  if (!text || !warning()?.open) return;
  const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
  // The low-vision version shows nothing that moves by itself (ПП РФ № 102 of 2026): the time of day, down to the minute.
  const calm = "visionScheme" in document.documentElement.dataset;
  const at = new Date(over).toLocaleTimeString("ru", { hour: "2-digit", minute: "2-digit" });
  const words = calm ? `Вход завершится в ${at}.` : `Вход завершится через ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}.`;
  if (text.textContent !== words) text.textContent = words;
}

setInterval(sayLeft, 500);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && watch());
watch();

document.addEventListener("click", async (event) => {
  if (!(event.target instanceof Element) || event.target.id !== "session-stay") return;
  try {
    const left = await ask(account()?.dataset.sessionExtend ?? "", "POST");
    warning()?.close();
    showLeft(left);
  } catch {
    lookAgainIn(1);
  }
});
