// A draft: what a patient has typed into a form of the account. It outlives the session: when the same patient signs in again in this
// tab, the form is filled again. A draft never holds a password or a code. It is dropped when the form is saved or left, at a
// sign-out, when another account signs in, and a quarter of an hour after the session.
import { all } from "../shared/dom.js";
import { mayLeave } from "../shared/may_leave.js";
import { DRAFT_KEY, forget, remember, remembered } from "../shared/tab_storage.js";

/**
 * `values`: by the ids of fields. `leftAt`: the Date.now() at which the session ended or the patient left the page for a proof; 0
 * while the form is open. `returns`: whether a sign-in leads back to the form.
 * @typedef {{ owner: string, path: string, values: Record<string, string | boolean>, leftAt: number, returns: boolean }} Draft
 */

const LIFE_MS = 15 * 60 * 1000;
const LOOK_MS = 10_000;
const DRAFTED = "form[data-draft] input:not([type=hidden], [type=password], [autocomplete$=password], [autocomplete=one-time-code])";
/** @type {WeakSet<Element>} */
const drawn = new WeakSet();
/** @type {string | undefined} */
let saved; // the form's `data-draft-saved` at the last look: it changes with each save
let leading = false;
const kept = remembered(DRAFT_KEY);
/** @type {Draft | null} */
let draft = kept ? JSON.parse(kept) : null;
if (!draft?.leftAt) forgetDraft(); // an earlier load of the page wrote it: a reload drops the draft
// A sign-out in one tab drops the drafts of the other tabs.
const signOuts = new BroadcastChannel("medonline.sign-out");
signOuts.addEventListener("message", forgetDraft);

export function forgetDraft() {
  draft = null;
  forget(DRAFT_KEY);
}

function keep() {
  if (draft) remember(DRAFT_KEY, JSON.stringify(draft));
}

const path = () => location.pathname.replace(/(.)\/$/, "$1");

/** @param {HTMLInputElement} input */
const isTicked = (input) => input.type === "checkbox" || input.type === "radio";

document.addEventListener("input", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.matches(DRAFTED)) return;
  const owner = input.form?.dataset.draft;
  if (!owner) return;
  if (draft?.owner !== owner || draft.path !== path()) draft = { owner, path: path(), values: {}, leftAt: 0, returns: false };
  draft.values[input.id] = isTicked(input) ? input.checked : input.value;
  keep();
});

/**
 * The form is about to go away unsaved.
 * @param {boolean} returns
 */
function leaveDraft(returns) {
  if (!draft || draft.leftAt) return;
  Object.assign(draft, { leftAt: Date.now(), returns });
  keep();
}

/** The session is over: the next sign-in leads back. */
export const sessionEnded = () => leaveDraft(true);
document.addEventListener("portal:sign-in-again", sessionEnded); // sent by portal/asked_dialog.js

// Sent by portal/submits.js and shared/post_ticket.js before a form leaves the page.
document.addEventListener("portal:leave", (event) => {
  const action = /** @type {HTMLFormElement} */ (event.target).getAttribute("action") ?? "";
  if (action === "/gosuslugi/start") leaveDraft(false);
  if (action !== "/session/close") return;
  forgetDraft();
  signOuts.postMessage("");
});

/** A mark of the patient who is signed in on this page. It says nothing else about them. */
const owner = () => document.querySelector("[data-owner]")?.getAttribute("data-owner") ?? "";

export function followDraft() {
  if (draft?.leftAt && Date.now() - draft.leftAt > LIFE_MS) forgetDraft();
  const waits = Boolean(draft?.leftAt && draft.returns);
  for (const place of all("[data-draft-waits]")) if (place.hidden === waits) place.hidden = !waits;
  if (draft && owner()) meet(draft, owner());
  const [form] = all("form[data-draft]");
  if (form instanceof HTMLFormElement && form.dataset.draft) fill(form);
}

/**
 * @param {Draft} waiting
 * @param {string} patient
 */
function meet(waiting, patient) {
  if (waiting.owner !== patient) return forgetDraft();
  if (waiting.path === path() || path() === "/") return;
  if (!waiting.leftAt) return forgetDraft(); // the patient went to another page
  if (!waiting.returns || leading || !mayLeave()) return;
  leading = true;
  location.replace(waiting.path);
}

/**
 * Gives a form that was drawn again its text back, unless the text was saved.
 * @param {HTMLFormElement} form
 */
function fill(form) {
  const now = form.dataset.draftSaved;
  const known = saved;
  saved = now;
  if (draft && !draft.leftAt && known !== undefined && now && now !== known) forgetDraft();
  if (drawn.has(form)) return;
  drawn.add(form);
  if (!draft || draft.owner !== form.dataset.draft || draft.path !== path()) return;
  const wasLeft = draft.leftAt > 0;
  Object.assign(draft, { leftAt: 0, returns: false });
  keep();
  const filled = Object.entries(draft.values).map(([id, value]) => put(id, value));
  if (wasLeft) filled.find((input) => input)?.scrollIntoView({ block: "center" });
}

/**
 * @param {string} id
 * @param {string | boolean} value
 */
function put(id, value) {
  const input = document.getElementById(id);
  if (!(input instanceof HTMLInputElement)) return null;
  if (typeof value === "boolean") input.checked = value;
  else input.value = value;
  const around = input.closest("details");
  if (around) around.open = true;
  return input;
}

setInterval(followDraft, LOOK_MS);
