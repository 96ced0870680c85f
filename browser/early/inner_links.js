// Links to a place on the same page («перейти к содержанию» and the links of a mistake) move the focus.
import { under } from "../shared/dom.js";

// The framework writes the page's path before the hash, but spells it differently from the address. A browser that follows such a
// link reloads the page.
document.addEventListener("click", (event) => {
  const link = under(event, ".error-link, .skip-link");
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  document.getElementById(link.hash.slice(1))?.focus();
});
