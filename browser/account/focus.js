// The focus goes to what appeared.
import { all } from "../shared/dom.js";

/** @type {WeakSet<Element>} */
const revealed = new WeakSet();

/** A section that appeared names the element that gets the focus. */
export function focusRevealed() {
  for (const section of all("[data-reveal-focus]")) {
    if (revealed.has(section)) continue;
    revealed.add(section);
    document.getElementById(section.dataset.revealFocus ?? "")?.focus();
  }
}

/** A form names the field with the mistake. */
export function focusAsked() {
  const [form] = all("form[data-focus]");
  const wanted = form?.dataset.focus;
  if (!wanted || form.dataset.focused === wanted) return;
  form.dataset.focused = wanted;
  const input = document.getElementById(wanted);
  input?.scrollIntoView({ block: "center" });
  input?.focus();
}
