// The token of a link «это не я» is behind the # of the address. It leaves the address before the app starts, because the app
// tells the server the whole address.
import { DISPUTE_KEY, remember } from "../shared/tab_storage.js";

function takeToken() {
  if (location.pathname.replace(/\/$/, "") !== "/not-me" || !location.hash) return false;
  // A messenger may have added something to the link: that is dropped.
  const token = location.hash.match(/[0-9a-f]{64}/)?.[0];
  history.replaceState(history.state, "", location.pathname);
  if (!token) return false;
  if (!remember(DISPUTE_KEY, token)) window.medonlineDispute = token; // a reload then needs the link again
  return true;
}

takeToken();
// The link, opened where the page is open already, loads nothing: only the part behind the # changes.
addEventListener("popstate", (event) => {
  if (!takeToken()) return;
  event.stopImmediatePropagation();
  location.reload();
});
