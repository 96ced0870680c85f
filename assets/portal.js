// What a page does by itself, before and beside the app: dialogs, tabs, menus, showing a password, countdowns, focus.
// No framework, no eval: it runs under a strict Content-Security-Policy and before the app is connected.
"use strict";

const PHONE_KEY = "medonline.phone";
const DISPUTE_KEY = "medonline.dispute"; // put there by early.js
// Names this load of the page: a ticket is posted only by the load that asked for it. A later load may be shown the same
// state again, and would post a used ticket for ever.
const PAGE = Math.random().toString(36).slice(2);

// --- dialogs ----------------------------------------------------------------------------------------------------

let opener = null;

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  const before = document.querySelector("dialog[open]");
  if (before) before.close("replaced");
  else {
    opener = document.activeElement;
    history.pushState({ ...history.state, dialog: id }, "");
  }
  // Named only while open: a closed dialog's name would be one more answer to «which element is labelled …».
  dialog.setAttribute("aria-labelledby", `${id}-title`);
  dialog.showModal();
  const first = dialog.querySelector("[role=tab][aria-selected=true], .dialog-title");
  if (first) first.focus();
}

let closing = false; // a second click must not go back once more, out of the portal

// Closing takes the history entry away that opening made; Back closes the dialog instead of leaving the page.
function closeDialog(dialog) {
  if (closing) return;
  if (history.state?.dialog) {
    closing = true;
    history.back();
  } else dialog.close();
}

addEventListener("popstate", () => {
  closing = false;
  document.querySelector("dialog[open]")?.close();
});

document.addEventListener(
  "close",
  (event) => {
    event.target.removeAttribute("aria-labelledby");
    if (event.target.returnValue !== "replaced") opener?.focus?.();
    event.target.returnValue = "";
  },
  true,
);

document.addEventListener(
  "cancel",
  (event) => {
    if (!(event.target instanceof HTMLDialogElement)) return;
    event.preventDefault();
    closeDialog(event.target);
  },
  true,
);

// --- tabs -------------------------------------------------------------------------------------------------------

function selectTab(tab, focus) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const selected = other === tab;
    other.setAttribute("aria-selected", String(selected));
    other.tabIndex = selected ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !selected;
  }
  if (focus) tab.focus();
}

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const index = { Home: 0, End: tabs.length - 1 }[event.key] ?? (tabs.indexOf(tab) + step + tabs.length) % tabs.length;
  if (Number.isNaN(index)) return;
  event.preventDefault();
  selectTab(tabs[index], true);
});

// --- menus ------------------------------------------------------------------------------------------------------

function toggleMenu(button, open) {
  button.setAttribute("aria-expanded", String(open));
  document.getElementById(button.dataset.menu).hidden = !open;
}

function closeMenus(except) {
  for (const button of document.querySelectorAll("[data-menu][aria-expanded=true]")) {
    if (button !== except) toggleMenu(button, false);
  }
}

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("[data-menu][aria-expanded=true]");
  if (open) {
    toggleMenu(open, false);
    open.focus();
  }
});

// --- clicks -----------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  const menu = at("[data-menu]");
  if (!at(".menu")) closeMenus(menu);
  if (menu) return toggleMenu(menu, menu.getAttribute("aria-expanded") !== "true");
  const open = at("[data-dialog-open]");
  if (open) {
    event.preventDefault();
    return openDialog(open.dataset.dialogOpen);
  }
  if (at("[data-dialog-close]")) return closeDialog(event.target.closest("dialog"));
  if (event.target instanceof HTMLDialogElement && event.target.open) return closeDialog(event.target);
  const tab = at("[role=tab]");
  if (tab) return selectTab(tab, false);
  const reveal = at("[data-reveal]");
  if (reveal) return revealPassword(reveal);
  // The framework writes the page's path before the hash, in another spelling than the address: followed as it is, the
  // link would load the page anew.
  const link = at(".error-link, .skip-link");
  if (link) {
    event.preventDefault();
    document.getElementById(link.hash.slice(1))?.focus();
  }
});

function revealPassword(button) {
  const input = document.getElementById(button.dataset.reveal);
  const show = input.type === "password";
  input.type = show ? "text" : "password";
  button.setAttribute("aria-pressed", String(show));
}

// --- the phone stays in this tab, so that it need not be typed twice; the server shows it masked -----------------

function store(action) {
  try {
    return action(sessionStorage);
  } catch {
    return null; // storage may be barred; then the phone is typed again
  }
}

function remembered() {
  return store((storage) => storage.getItem(PHONE_KEY)) ?? "";
}

function spelled(phone) {
  const digits = phone.replace(/\D/g, "").slice(-10);
  return digits.length === 10 ? digits.replace(/(...)(...)(..)(..)/, "+7 $1 $2-$3-$4") : "";
}

// The record shows the phone masked. The full spelling is shown only while it fits the mask: another tab may be ahead.
function matchesMask(phone, mask) {
  return phone !== "" && mask !== "" && [...mask].every((sign, i) => sign === "*" || sign === phone[i]);
}

function fillPhones() {
  const phone = remembered();
  for (const input of document.querySelectorAll("[data-fill=phone]")) {
    if (!input.value && phone) input.value = phone;
  }
  if (document.querySelector("[data-dispute-over=yes]")) {
    store((storage) => storage.removeItem(DISPUTE_KEY));
    delete window.medonlineDispute;
  }
  for (const input of document.querySelectorAll("[data-fill=dispute]")) {
    const token = window.medonlineDispute ?? store((storage) => storage.getItem(DISPUTE_KEY)) ?? "";
    if (!input.value && token) input.value = token;
  }
  for (const full of document.querySelectorAll("[data-show-phone]")) {
    const masked = full.previousElementSibling;
    const text = spelled(phone);
    const fits = matchesMask(text, masked?.textContent ?? "");
    const shown = fits ? text : "";
    if (full.textContent !== shown) full.textContent = shown; // an equal text set again would be a change to look at again
    if (masked) masked.hidden = fits;
  }
}

// --- what is being typed outlives the redrawing of a step after a lost connection; in memory only, never a password ----

const typed = new Map();
const drawn = new WeakSet();
const TYPED = ".wizard .input:not([autocomplete$=password])";

document.addEventListener("input", (event) => {
  if (event.target.matches?.(TYPED)) typed.set(event.target.id, event.target.value);
});

function restoreTyped() {
  for (const input of document.querySelectorAll(TYPED)) {
    if (drawn.has(input)) continue;
    drawn.add(input);
    if (!input.value && typed.has(input.id)) input.value = typed.get(input.id);
  }
}

// --- forms ------------------------------------------------------------------------------------------------------

const isHydrated = (element) => Object.keys(element).some((key) => key.startsWith("__reactProps"));

// A double click, or Enter with a click, is one submit: a wrong code sent twice would cost two attempts. Once the app has
// answered, the same content is a new attempt.
const SAME_SUBMIT_MS = 800;
const LEAVING_MS = 3000; // a second click while the browser is leaving would be answered under a name that it does not have yet
let submitted = new WeakMap();
const waiting = new WeakSet();

function isRepeated(form) {
  const content = new URLSearchParams(new FormData(form)).toString();
  const last = submitted.get(form);
  const now = performance.now();
  if (last?.content === content && now - last.at < SAME_SUBMIT_MS) return true;
  submitted.set(form, { content, at: now });
  return false;
}

// A form sent before the app took it over waits, instead of posting a password to nowhere.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.dataset.remember) {
      typed.clear(); // another recovery, or none: its code is another one
      const phone = form.elements.namedItem("phone")?.value ?? "";
      store((storage) => storage.setItem(PHONE_KEY, phone));
    }
    if (form.dataset.ticketAction) form.elements.namedItem("page").value = PAGE;
    const plain = /^\/(session|gosuslugi)\//.test(form.getAttribute("action") ?? "");
    if (!plain && isHydrated(form) && !isRepeated(form)) return handOver(event, form);
    event.preventDefault();
    event.stopImmediatePropagation();
    if (waiting.has(form) || (!plain && isHydrated(form))) return;
    if (plain) {
      waiting.add(form);
      setTimeout(() => waiting.delete(form), LEAVING_MS);
      form.dispatchEvent(new CustomEvent("portal:leave", { bubbles: true }));
      return form.submit(); // Reflex's forms swallow the submit even when they have no handler
    }
    submitWhenHydrated(form);
  },
  true,
);

// While the app takes the page over, a form already looks taken and its submit is still lost on the way; the browser would
// then send the form itself. So the browser never does, and what nobody took is sent again.
function handOver(event, form) {
  event.preventDefault();
  let taken = false;
  event.preventDefault = () => (taken = true); // what the app's handlers begin with
  setTimeout(() => {
    if (taken) return;
    submitted.delete(form);
    submitWhenHydrated(form);
  });
}

function submitWhenHydrated(form) {
  const started = Date.now();
  waiting.add(form);
  const timer = setInterval(() => {
    if (!isHydrated(form) && Date.now() - started < 20000) return;
    clearInterval(timer);
    waiting.delete(form);
    if (isHydrated(form)) form.requestSubmit();
  }, 100);
}

function postTicket(form) {
  const post = document.createElement("form");
  post.method = "post";
  post.action = form.dataset.ticketAction;
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = "ticket";
  input.value = form.dataset.ticket;
  post.append(input);
  document.body.append(post);
  store((storage) => storage.removeItem(PHONE_KEY));
  post.submit();
}

// --- countdowns -------------------------------------------------------------------------------------------------

const countdowns = new WeakMap();

function tick() {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    let known = countdowns.get(element);
    const mark = `${element.dataset.countdownKey}/${element.dataset.countdown}`;
    if (known?.mark !== mark) {
      known = { mark, end: performance.now() + Number(element.dataset.countdown) * 1000, said: null };
      countdowns.set(element, known);
    }
    const left = Math.max(0, Math.ceil((known.end - performance.now()) / 1000));
    const text = `, через ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (element.textContent !== text) element.textContent = text;
    speak(known, left);
  }
}

// A screen reader hears the start, 30 seconds and the end; the numbers between are silent.
function speak(known, left) {
  const said = left === 0 ? "Можно запросить новый код." : left <= 30 ? "Осталось 30 секунд." : "Идёт отсчёт до нового кода.";
  if (known.said === said || (left < 30 && left > 0 && known.said === null)) return;
  known.said = said;
  const voice = document.querySelector("[data-countdown-voice]");
  if (voice) voice.textContent = said;
}

setInterval(tick, 250);

// --- what the app changes ---------------------------------------------------------------------------------------

let step = null;
let errorNo = null;

// A title that begins with the mistake is heard first by whoever listens to the page (GOV.UK's habit for error pages).
function nameTheMistake(there) {
  const plain = document.title.replace(/^Ошибка: /, "");
  const wanted = there ? `Ошибка: ${plain}` : plain;
  if (location.pathname !== "/login-failed" && document.title !== wanted) document.title = wanted;
}

function look() {
  const wizard = document.querySelector("[data-step]");
  if (wizard && wizard.dataset.step !== step) {
    if (step !== null) document.getElementById("step-title")?.focus();
    step = wizard.dataset.step;
  }
  const summary = document.querySelector(".error-summary[data-error-no]");
  if (!summary) errorNo = null;
  else if (summary.dataset.errorNo !== errorNo) {
    errorNo = summary.dataset.errorNo;
    submitted = new WeakMap();
    summary.focus();
  }
  nameTheMistake([...document.querySelectorAll(".error-summary")].some((one) => one.checkVisibility()));
  for (const form of document.querySelectorAll("form[data-ticket]")) {
    if (form.dataset.ticket && form.dataset.ticketPage === PAGE && form.dataset.posted !== form.dataset.ticket) {
      form.dataset.posted = form.dataset.ticket;
      postTicket(form);
    }
  }
  restoreTyped();
  fillPhones();
  openAsked();
}

// Which dialog the address asks for: `#recovery-way`, `?login=again`. Looked at after each change of the page, because the
// app also leads from page to page without a load.
function openAsked() {
  const again = new URLSearchParams(location.search).get("login") === "again";
  const asked = again ? "login" : location.hash.slice(1);
  const target = asked && document.getElementById(asked);
  const tab = target?.role === "tab" ? target : null; // the address of a tab opens the dialog it stands in
  const dialog = tab ? tab.closest("dialog") : target;
  if (!(dialog instanceof HTMLDialogElement)) return;
  history.replaceState(history.state, "", location.pathname);
  openDialog(dialog.id);
  if (tab) selectTab(tab, false);
  if (again) selectTab(document.getElementById("tab-password"), true);
}

function start() {
  new MutationObserver(look).observe(document.body, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["data-step", "data-error-no", "data-ticket", "data-dispute-over", "open"],
  });
  look();
  tick();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
