// Some networks let pages through but no websockets. Without a websocket a page shows nothing new and answers nothing. So it says what
// to do.
import { all } from "../shared/dom.js";

const PATIENCE_MS = 20_000;
let joined = Boolean(window.medonlineSocket?.joined);

/** @typedef {{ desk: string, phone: string, tel: string, gosuslugi: boolean }} Help */

const places = () => all("[data-no-socket]");

addEventListener("socket:joined", () => {
  joined = true;
  for (const place of places()) place.hidden = true;
});

async function look() {
  const [place] = places();
  if (joined || !place) return;
  const answer = await fetch(place.dataset.noSocket ?? "", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return void setTimeout(look, PATIENCE_MS); // there is no connection at all, and the banner says so
  show(place, await answer.json());
}

/**
 * @param {HTMLElement} place
 * @param {Help} help
 */
function show(place, help) {
  if (joined) return;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-help]"))) {
    const what = /** @type {keyof Help} */ (part.dataset.help);
    if (!help[what]) continue;
    if (typeof help[what] === "string") part.textContent = /** @type {string} */ (help[what]);
    if (part instanceof HTMLAnchorElement && help.tel) part.href = help.tel;
    part.closest("p")?.removeAttribute("hidden");
  }
  place.hidden = false;
}

setTimeout(look, PATIENCE_MS);
