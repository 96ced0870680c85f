// Sends each form once. A wrong code sent twice would cost two attempts. A form sent before the app took it over would post a password
// to a page that cannot use it.
import { field } from "../shared/dom.js";
import { isHydrated } from "../shared/hydration.js";
import { PHONE_KEY, remember } from "../shared/tab_storage.js";
import { maySend, notTaken, sending } from "./answers.js";
import { PAGE } from "./tickets.js";
import { forgetTyped } from "./typed_texts.js";

const SAME_SUBMIT_MS = 800; // a double click, or Enter with a click
const LEAVING_MS = 3000; // a second click while the browser leaves would still carry the old visitor cookie
const PATIENCE_MS = 20_000;
const LOOK_MS = 100;
/** @type {WeakMap<HTMLFormElement, { content: string, at: number }>} */
let submitted = new WeakMap();
/** @type {WeakSet<HTMLFormElement>} */
const waiting = new WeakSet();

/** The app has answered, so the same content is a new attempt now. */
export function forgetSubmits() {
  submitted = new WeakMap();
}

/** @param {HTMLFormElement} form */
function contentOf(form) {
  const entries = /** @type {[string, string][]} */ ([...new FormData(form)]);
  return new URLSearchParams(entries).toString();
}

/** @param {HTMLFormElement} form */
const isNew = (form) => submitted.get(form)?.content !== contentOf(form);

/** @param {HTMLFormElement} form */
function isRepeated(form) {
  const now = performance.now();
  const last = submitted.get(form);
  if (last && !isNew(form) && now - last.at < SAME_SUBMIT_MS) return true;
  submitted.set(form, { content: contentOf(form), at: now });
  return false;
}

document.addEventListener(
  "submit",
  (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.dataset.remember) {
      forgetTyped();
      remember(PHONE_KEY, field(form, "phone")?.value ?? "");
    }
    const page = form.dataset.ticketAction ? field(form, "page") : null;
    if (page) page.value = PAGE;
    const plain = /^\/(session|gosuslugi)\//.test(form.getAttribute("action") ?? "");
    if (!plain && isHydrated(form) && maySend(form, isNew(form)) && !isRepeated(form)) return handOver(event, form);
    event.preventDefault();
    event.stopImmediatePropagation();
    if (waiting.has(form) || (!plain && isHydrated(form))) return;
    if (plain) leaveBy(form);
    else submitWhenHydrated(form);
  },
  true,
);

/**
 * Sends a form to one of the server's own routes. Reflex's forms swallow the submit even when they have no handler.
 * @param {HTMLFormElement} form
 */
function leaveBy(form) {
  waiting.add(form);
  setTimeout(() => waiting.delete(form), LEAVING_MS);
  form.dispatchEvent(new CustomEvent("portal:leave", { bubbles: true }));
  form.submit();
}

/**
 * While the app takes the page over, a form may look ready although its submit is still lost. The browser would then send the form
 * itself. So this function always prevents that, and sends the submit again if the app did not take it.
 * @param {SubmitEvent} event
 * @param {HTMLFormElement} form
 */
function handOver(event, form) {
  event.preventDefault();
  let taken = false;
  sending(form);
  event.preventDefault = () => (taken = true); // the app's handlers begin with this call
  setTimeout(() => {
    if (taken) return;
    submitted.delete(form);
    notTaken(form);
    submitWhenHydrated(form);
  });
}

/** @param {HTMLFormElement} form */
function submitWhenHydrated(form) {
  const started = Date.now();
  waiting.add(form);
  const timer = setInterval(() => {
    if (!isHydrated(form) && Date.now() - started < PATIENCE_MS) return;
    clearInterval(timer);
    waiting.delete(form);
    if (isHydrated(form)) form.requestSubmit();
  }, LOOK_MS);
}
