// Tabs with the keys of the ARIA Authoring Practices: arrows, Home, End.
import { element, under } from "../shared/dom.js";

/**
 * @param {HTMLElement} tab
 * @returns {HTMLElement[]}
 */
function row(tab) {
  return [...(tab.closest("[role=tablist]")?.querySelectorAll("[role=tab]") ?? [])].map((one) => /** @type {HTMLElement} */ (one));
}

/**
 * @param {HTMLElement} tab
 * @param {boolean} focus
 */
export function selectTab(tab, focus) {
  for (const other of row(tab)) {
    const selected = other === tab;
    other.setAttribute("aria-selected", String(selected));
    other.tabIndex = selected ? 0 : -1;
    element(other.getAttribute("aria-controls")).hidden = !selected;
  }
  if (focus) tab.focus();
}

/**
 * The index of the tab that a key leads to; null for a key that leads to none.
 * @param {string} key
 * @param {number} index
 * @param {number} count
 */
function indexAfter(key, index, count) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index - 1 + count) % count;
  return null;
}

document.addEventListener("keydown", (event) => {
  const tab = under(event, "[role=tab]");
  if (!tab) return;
  const tabs = row(tab);
  const index = indexAfter(event.key, tabs.indexOf(tab), tabs.length);
  if (index === null) return;
  event.preventDefault();
  selectTab(tabs[index], true);
});

document.addEventListener("click", (event) => {
  const tab = under(event, "[role=tab]");
  if (tab) selectTab(tab, false);
});
