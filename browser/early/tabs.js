// Tabs with the keys of the ARIA Authoring Practices: arrows, Home, End. The next visit shows the tab that was chosen last. A
// first-party cookie keeps that tab's name and nothing else, because a sign-out clears the rest of the browser's storage.
import { element, under } from "../shared/dom.js";

const COOKIE = "medonline_tab";
const YEAR_S = 365 * 24 * 3600;

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
function selectTab(tab, focus) {
  for (const other of row(tab)) {
    const selected = other === tab;
    other.setAttribute("aria-selected", String(selected));
    other.tabIndex = selected ? 0 : -1;
    element(other.getAttribute("aria-controls")).hidden = !selected;
  }
  if (focus) tab.focus();
}

/**
 * The index of the tab that a key selects; null for any other key.
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

/** @param {HTMLElement} tab */
function chooseTab(tab) {
  selectTab(tab, true);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${tab.id}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
}

/**
 * Selects the tab that was chosen last, if it is among these tabs.
 * @param {Element} around
 */
export function showLastTab(around) {
  const id = document.cookie.match(new RegExp(`(?:^|; )${COOKIE}=([a-z-]+)`))?.[1];
  const tab = id ? document.getElementById(id) : null;
  if (tab && tab.role === "tab" && around.contains(tab)) selectTab(tab, false);
}

// Sent by portal/early_ways.js.
document.addEventListener("portal:select-tab", (event) => {
  const { tab, focus } = /** @type {CustomEvent<{ tab: HTMLElement, focus: boolean }>} */ (event).detail;
  selectTab(tab, focus);
});

document.addEventListener("keydown", (event) => {
  const tab = under(event, "[role=tab]");
  if (!tab) return;
  const tabs = row(tab);
  const index = indexAfter(event.key, tabs.indexOf(tab), tabs.length);
  if (index === null) return;
  event.preventDefault();
  chooseTab(tabs[index]);
});

document.addEventListener("click", (event) => {
  const tab = under(event, "[role=tab]");
  if (tab) chooseTab(tab);
});
