// Runs before anything else of the page: takes the token of a link «это не я» out of the address, and holds what is pressed
// before the app listens.
"use strict";

// --- the token of «это не я» -----------------------------------------------------------------------------------------
// It is behind the # of the address, and taken out of it before the app starts: the app tells the server the whole address.

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

// --- what is pressed before the app listens ----------------------------------------------------------------------------
// A page can be read and pressed before the app has started. Without this a form sent meanwhile loads the page again, and
// what was typed is lost; a button does nothing. Both are held, and done as soon as the app listens.

(() => {
  const LOOK_MS = 30;
  const PATIENCE_MS = 20_000; // then the app does not come: the browser does by itself what it can
  const BY_OTHER_SCRIPTS = "[data-menu], [data-dialog-open], [data-dialog-close], [data-reveal], [role=tab], [command]";
  const held = new WeakSet();

  // React marks each element of a page that it has taken over.
  const listens = (element) => Object.keys(element).some((key) => key.startsWith("__reactProps"));

  function hold(event, element, act, giveUp) {
    if (listens(element)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (held.has(element)) return; // pressed twice is pressed once
    held.add(element);
    const since = performance.now();
    const timer = setInterval(() => {
      const late = performance.now() - since > PATIENCE_MS;
      if (!listens(element) && !late) return;
      clearInterval(timer);
      held.delete(element);
      if (listens(element)) act();
      else giveUp();
    }, LOOK_MS);
  }

  const path = (address) => new URL(address, location.href).pathname.replace(/\/$/, "");

  addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const action = form.getAttribute("action");
      // A form to another address is one of the server's own routes: the browser posts it without the app.
      if (action && path(action) !== path(location.href)) return;
      const { submitter } = event;
      hold(event, form, () => form.requestSubmit(submitter), () => HTMLFormElement.prototype.submit.call(form));
    },
    true,
  );

  addEventListener(
    "click",
    (event) => {
      const button = event.target.closest?.("button[type=button]");
      if (!button || button.matches(BY_OTHER_SCRIPTS)) return;
      hold(event, button, () => button.click(), () => {});
    },
    true,
  );
})();
