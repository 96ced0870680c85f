// What this tab remembers (sessionStorage). A browser may forbid the storage. Then the tab remembers nothing.

export const PHONE_KEY = "medonline.phone";
export const DISPUTE_KEY = "medonline.dispute";
export const STEP_KEY = "medonline.step";
export const DRAFT_KEY = "medonline.draft";

/** @param {string} key */
export function remembered(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string} value
 * @returns {boolean} whether the tab remembers it now
 */
export function remember(key, value) {
  try {
    sessionStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} key */
export function forget(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // The storage is forbidden, so there is nothing to forget.
  }
}
