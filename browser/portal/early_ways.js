// Asks the early script to act, because it alone remembers which dialog was opened from where.
// Two scripts of a page cannot share the memory of a module, so they talk by events.

/**
 * @template Detail
 * @param {string} name
 * @param {Detail} detail
 */
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

/** @param {string} id */
export const openDialog = (id) => tell("portal:open-dialog", id);

/**
 * @param {HTMLElement} tab
 * @param {boolean} focus
 */
export const selectTab = (tab, focus) => tell("portal:select-tab", { tab, focus });
