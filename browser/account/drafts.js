// What was typed into the settings survives a second sign-in; never a password.
import { DRAFT_KEY, forget, remember, remembered } from "../shared/tab_storage.js";

const DRAFT_LIFE_MS = 15 * 60 * 1000;
const DRAFTED = ".input:not([type=password]):not([autocomplete=new-password])";

/** @returns {HTMLFormElement | null} */
const draftedForm = () => document.querySelector("form[data-draft]");

export const forgetDraft = () => forget(DRAFT_KEY);

// Sent by portal/submits.js before a plain form leaves the page.
document.addEventListener("portal:leave", (event) => {
  const action = /** @type {HTMLFormElement} */ (event.target).getAttribute("action") ?? "";
  if (action === "/session/close") forgetDraft();
  const form = draftedForm();
  if (action !== "/gosuslugi/start" || !form) return;
  const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll(DRAFTED));
  const values = Object.fromEntries([...inputs].map((input) => [input.id, input.value]));
  remember(DRAFT_KEY, JSON.stringify({ owner: form.dataset.draft, at: Date.now(), values }));
});

/** Fill the draft in, once; a draft of another person or an old one is dropped. */
export function restoreDraft() {
  const form = draftedForm();
  if (!form || form.dataset.drafted || !form.dataset.draft) return;
  form.dataset.drafted = "yes";
  const kept = remembered(DRAFT_KEY);
  if (!kept) return;
  forgetDraft();
  /** @type {{ owner: string, at: number, values: Record<string, string> }} */
  const draft = JSON.parse(kept);
  if (draft.owner !== form.dataset.draft || Date.now() - draft.at > DRAFT_LIFE_MS) return;
  for (const [id, value] of Object.entries(draft.values)) {
    const input = /** @type {HTMLInputElement | null} */ (document.getElementById(id));
    if (input) input.value = value;
  }
}
