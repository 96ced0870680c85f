// The token of a link «это не я» stands after the # of the address. This script removes it before the app starts, because the app
// sends the whole address to the server.
import { DISPUTE_KEY, remember } from "../shared/tab_storage.js";

function takeToken() {
  if (location.pathname.replace(/\/$/, "") !== "/not-me" || !location.hash) return false;
  // A messenger may have added something to the link. It is ignored.
  const token = location.hash.match(/[0-9a-f]{64}/)?.[0];
  history.replaceState(history.state, "", location.pathname);
  if (!token) return false;
  if (!remember(DISPUTE_KEY, token)) window.medonlineDispute = token; // a reload then needs the link again
  return true;
}

takeToken();
// If the page is open already, the link loads nothing: only the part after the # changes.
addEventListener("popstate", (event) => {
  if (!takeToken()) return;
  event.stopImmediatePropagation();
  location.reload();
});
