// The page loads the app and the other scripts after it has painted the first frame. Loaded earlier, they would take processor time
// and bandwidth from that frame. The build leaves their addresses in the page (medonline/first_paint.py).
import { isHydrated } from "../shared/hydration.js";

const PATIENCE_MS = 1000; // a tab in the background paints no frame
const AGAIN_MS = 1000;
const TIMES = 20;
let started = false;
/** @type {HTMLScriptElement | undefined} */
let app;

/**
 * @param {string} rel
 * @param {string} href
 */
function link(rel, href) {
  const element = document.createElement("link");
  element.rel = rel;
  element.href = href;
  document.head.append(element);
}

/**
 * Puts a script into the page, and tries again if its download breaks off: the browser would not, and the page would stay dead. Modules
 * that have arrived already are not downloaded again.
 * @param {HTMLElement} place the element that the script replaces
 * @param {() => HTMLScriptElement} make
 * @param {number} times the number of this attempt
 */
function load(place, make, times = 1) {
  const script = make();
  const again = () => setTimeout(() => load(script, make, times + 1), AGAIN_MS);
  if (times < TIMES) script.addEventListener("error", again, { once: true });
  place.replaceWith(script);
}

function start() {
  if (started) return;
  started = true;
  const place = /** @type {HTMLScriptElement | null} */ (document.getElementById("app-start"));
  if (!place) return;
  const later = document.createElement("script");
  document.head.append(later);
  load(later, () => Object.assign(document.createElement("script"), { src: place.dataset.script }));
  for (const module of place.dataset.modules?.split(" ") ?? []) link("modulepreload", module);
  // The text must stay the same: the Content-Security-Policy holds its hash.
  const { textContent } = place;
  load(place, () => (app = Object.assign(document.createElement("script"), { type: "module", textContent })));
}

// The app's script ends with a dynamic import. If that one's download breaks off, the element fires no event.
addEventListener("unhandledrejection", (event) => {
  const main = document.querySelector("main");
  const isImport = event.reason instanceof TypeError && /module/i.test(event.reason.message);
  if (!isImport || !app || (main && isHydrated(main))) return;
  event.preventDefault();
  app.dispatchEvent(new Event("error"));
});

document.addEventListener("DOMContentLoaded", () => {
  requestAnimationFrame(() => setTimeout(start));
  setTimeout(start, PATIENCE_MS);
});
