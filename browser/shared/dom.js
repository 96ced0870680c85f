// Elements of the page, with the types that the type checker needs.

/**
 * The nearest element that matches a selector: the event's target or one of its ancestors; null for none.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function under(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/**
 * The element with an id that the page always has. Throws an Error where it is missing.
 * @param {string | null | undefined} id
 */
export function element(id) {
  const found = id ? document.getElementById(id) : null;
  if (!found) throw new Error(`The page has no element «${id}».`);
  return found;
}

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} selector
 * @returns {Kind[]}
 */
export function all(selector) {
  return [.../** @type {NodeListOf<Kind>} */ (document.querySelectorAll(selector))];
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export function field(form, name) {
  const found = form.elements.namedItem(name);
  return found instanceof HTMLInputElement ? found : null;
}
