// The page loads the app and the other scripts after it has painted the first frame. Loaded earlier, they would take processor time
// and bandwidth from that frame. The build leaves their addresses in the page (medonline/first_paint.py).

const PATIENCE_MS = 1000; // a tab in the background paints no frame
let started = false;

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

function start() {
  if (started) return;
  started = true;
  const place = /** @type {HTMLScriptElement | null} */ (document.getElementById("app-start"));
  if (!place) return;
  const script = document.createElement("script");
  script.src = place.dataset.script ?? "";
  document.head.append(script);
  for (const module of place.dataset.modules?.split(" ") ?? []) link("modulepreload", module);
  const app = document.createElement("script");
  app.type = "module";
  app.textContent = place.textContent; // the text must stay the same: the Content-Security-Policy holds its hash
  place.replaceWith(app);
}

document.addEventListener("DOMContentLoaded", () => {
  requestAnimationFrame(() => setTimeout(start));
  setTimeout(start, PATIENCE_MS);
});
