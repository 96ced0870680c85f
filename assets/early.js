// Runs before anything else of the page. The token of a link «это не я» stands behind the # of the address: it is taken out
// of it before the app starts, because the app tells the server the whole address of its page.
"use strict";

(() => {
  function takeToken() {
    if (location.pathname.replace(/\/$/, "") !== "/not-me" || !/^#[0-9a-f]{64}$/.test(location.hash)) return false;
    try {
      sessionStorage.setItem("medonline.dispute", location.hash.slice(1));
    } catch {
      window.medonlineDispute = location.hash.slice(1); // storage may be barred; then a reload needs the link again
    }
    history.replaceState(history.state, "", location.pathname);
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
