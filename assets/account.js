// What the pages of the account do by themselves: warn before the session idles out, keep a draft over a second sign-in,
// move the focus to what appeared. No framework, no eval.
"use strict";

// --- the session's end ------------------------------------------------------------------------------------------

const WARN_S = 120;
const CLOCKS_MAY_DIFFER_MS = 3000; // the server's seconds are whole, the way to it takes a moment
let sessionTimer = null;
let sessionOver = 0; // of Date.now(), as the server said it last
let sessionEnd = 0; // of performance.now(), while the warning is shown
let mayBeStale = location.pathname === "/";

const account = () => document.querySelector("[data-session-left]");
const warning = () => document.getElementById("session-warning");

async function sessionLeft(address, method) {
  const answer = await fetch(address, { method, cache: "no-store", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function lookAgainIn(seconds) {
  clearTimeout(sessionTimer);
  sessionTimer = setTimeout(watchSession, Math.max(1, seconds) * 1000);
}

// Asking does not prolong the session, so another tab's work is seen and this one's watching is no work.
async function watchSession() {
  const place = account();
  if (!place) return lookAgainIn(2);
  try {
    const left = await sessionLeft(place.dataset.sessionLeft, "GET");
    if (!place.isConnected) return lookAgainIn(2); // the app has led to another page meanwhile
    showLeft(left);
  } catch {
    // No connection: the banner says so already. What was shown of the patient does not outlive the session all the same.
    const left = (sessionOver - Date.now()) / 1000;
    if (sessionOver && left <= 0) return leave();
    lookAgainIn(sessionOver ? Math.min(left, 30) : 30);
  }
}

// Who was idle is told so, and stays on a quiet page. A session that ended before its time was ended by something else: a
// new password, another device, the patient's own sign-out in another tab.
function leave() {
  const wasIdle = sessionOver > 0 && Date.now() >= sessionOver - CLOCKS_MAY_DIFFER_MS;
  drafts((storage) => storage.removeItem(DRAFT_KEY));
  location.assign(wasIdle ? "/?login=over" : "/?login=again");
}

function showLeft(left) {
  const seconds = Math.min(left.idle, left.absolute);
  if (seconds <= 0 && !sessionOver && mayBeStale) {
    // Until the start page has loaded, the app draws the header that the page before it had. It says by itself why one is here.
    mayBeStale = false;
    return lookAgainIn(2);
  }
  if (seconds <= 0) return leave();
  sessionOver = Date.now() + seconds * 1000;
  if (seconds > WARN_S) {
    if (warning()?.open) warning().close();
    return lookAgainIn(Math.min(seconds - WARN_S, 600));
  }
  sessionEnd = performance.now() + seconds * 1000;
  const dialog = warning();
  if (dialog && !dialog.open) {
    document.getElementById("session-stay").hidden = left.absolute <= WARN_S; // nothing can prolong it then
    dialog.setAttribute("aria-labelledby", "session-warning-title");
    dialog.showModal();
    document.getElementById("session-warning-title").focus();
  }
  sayLeft();
  lookAgainIn(Math.min(seconds, 10));
}

function sayLeft() {
  const text = document.getElementById("session-warning-left");
  if (!text || !warning()?.open) return;
  const left = Math.max(0, Math.ceil((sessionEnd - performance.now()) / 1000));
  const words = `Вход завершится через ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}.`;
  if (text.textContent !== words) text.textContent = words;
}

setInterval(sayLeft, 500);
addEventListener("visibilitychange", () => document.visibilityState === "visible" && watchSession());
watchSession();

document.addEventListener("click", async (event) => {
  if (event.target.id !== "session-stay") return;
  try {
    const left = await sessionLeft(account().dataset.sessionExtend, "POST");
    warning()?.close();
    showLeft(left);
  } catch {
    lookAgainIn(1);
  }
});

// --- drafts: what was typed into the settings outlives a second sign-in; never a password ------------------------

const DRAFT_KEY = "medonline.draft";
const DRAFT_LIFE_MS = 15 * 60 * 1000;

function drafts(action) {
  try {
    return action(sessionStorage);
  } catch {
    return null; // storage may be barred; then it is typed again
  }
}

// Sent by portal.js before a plain form leaves the page.
document.addEventListener("portal:leave", (event) => {
  const action = event.target.getAttribute("action") ?? "";
  if (action === "/session/close") drafts((storage) => storage.removeItem(DRAFT_KEY));
  const form = document.querySelector("form[data-draft]");
  if (action !== "/gosuslugi/start" || !form) return;
  const values = {};
  for (const input of form.querySelectorAll(".input:not([type=password]):not([autocomplete=new-password])")) {
    values[input.id] = input.value;
  }
  const draft = { owner: form.dataset.draft, at: Date.now(), values };
  drafts((storage) => storage.setItem(DRAFT_KEY, JSON.stringify(draft)));
});

function restoreDraft() {
  const form = document.querySelector("form[data-draft]");
  if (!form || form.dataset.drafted || !form.dataset.draft) return;
  form.dataset.drafted = "yes";
  const kept = drafts((storage) => storage.getItem(DRAFT_KEY));
  if (!kept) return;
  drafts((storage) => storage.removeItem(DRAFT_KEY));
  const draft = JSON.parse(kept);
  if (draft.owner !== form.dataset.draft || Date.now() - draft.at > DRAFT_LIFE_MS) return; // another person's, or old
  for (const [id, value] of Object.entries(draft.values)) {
    const input = document.getElementById(id);
    if (input) input.value = value;
  }
}

// --- focus goes to what appeared --------------------------------------------------------------------------------

const revealed = new WeakSet();

function followFocus() {
  restoreDraft();
  for (const section of document.querySelectorAll("[data-reveal-focus]")) {
    if (revealed.has(section)) continue;
    revealed.add(section);
    document.getElementById(section.dataset.revealFocus)?.focus();
  }
  const form = document.querySelector("form[data-focus]");
  const wanted = form?.dataset.focus;
  if (wanted && form.dataset.focused !== wanted) {
    form.dataset.focused = wanted;
    const input = document.getElementById(wanted);
    input?.scrollIntoView({ block: "center" });
    input?.focus();
  }
}

new MutationObserver(followFocus).observe(document.documentElement, {
  childList: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["data-focus", "data-draft"],
});
followFocus();
