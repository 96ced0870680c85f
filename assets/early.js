// Runs before anything else of the page. The token of a link «это не я» stands behind the # of the address: it is taken out
// of it before the app starts, because the app tells the server the whole address of its page.
"use strict";

(() => {
  function takeToken() {
    if (location.pathname.replace(/\/$/, "") !== "/not-me" || !location.hash) return false;
    // Whatever a messenger hung on to the link goes with it.
    const token = location.hash.match(/[0-9a-f]{64}/)?.[0];
    history.replaceState(history.state, "", location.pathname);
    if (!token) return false;
    try {
      sessionStorage.setItem("medonline.dispute", token);
    } catch {
      window.medonlineDispute = token; // storage may be barred; then a reload needs the link again
    }
    return true;
  }

  takeToken();
  // The link opened where the page is open already loads nothing: only the part behind the # is another one.
  addEventListener("popstate", (event) => {
    if (!takeToken()) return;
    event.stopImmediatePropagation();
    location.reload();
  });
})();
