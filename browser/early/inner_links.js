// Links to a place on the same page: «перейти к содержанию» and those of a mistake move the focus.
import { under } from "../shared/dom.js";

// The framework writes the page's path before the hash, in another spelling than the address. A browser that follows such a link
// loads the page again.
document.addEventListener("click", (event) => {
  const link = under(event, ".error-link, .skip-link");
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  document.getElementById(link.hash.slice(1))?.focus();
});
