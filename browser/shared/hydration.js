// Whether the app has taken over an element of the built page. Before that the element's handlers do not run.

/**
 * React marks each element that it has taken over with a property of its own.
 * @param {Element} element
 */
export const isHydrated = (element) => Object.keys(element).some((key) => key.startsWith("__reactProps"));
