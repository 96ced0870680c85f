// Moves the focus to new parts of the page.
import { all } from "../shared/dom.js";

/** @type {WeakSet<Element>} */
const revealed = new WeakSet();

/** Focuses the element that a newly shown section names. */
export function focusRevealed() {
  for (const section of all("[data-reveal-focus]")) {
    if (revealed.has(section)) continue;
    revealed.add(section);
    document.getElementById(section.dataset.revealFocus ?? "")?.focus();
  }
}

/** Focuses the field with the mistake, which the form names. */
export function focusAsked() {
  const [form] = all("form[data-focus]");
  const wanted = form?.dataset.focus;
  if (!wanted || form.dataset.focused === wanted) return;
  form.dataset.focused = wanted;
  const input = document.getElementById(wanted);
  input?.scrollIntoView({ block: "center" });
  input?.focus();
}
