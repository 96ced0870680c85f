// Help opens in dialogs, and a sign-in by QR code goes on by itself; without this script both are a click away.
(() => {
  "use strict";

  for (const link of document.querySelectorAll("a[data-dialog]")) {
    const dialog = document.getElementById(link.dataset.dialog);
    if (!dialog || !dialog.showModal) continue;
    link.setAttribute("aria-haspopup", "dialog");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      dialog.showModal();
    });
    // Safari does not focus a clicked link, so it would not get the focus back by itself.
    dialog.addEventListener("close", () => link.focus());
  }

  const form = document.querySelector("form[data-qr-state]");
  if (!form) return;

  async function poll() {
    try {
      const answer = await fetch(form.dataset.qrState, { cache: "no-store" });
      const state = answer.ok ? await answer.json() : { alive: answer.status !== 410 };
      if (state.approved) {
        form.submit();
        return;
      }
      if (!state.alive) {
        location.replace(location.href);  // shows a new code
        return;
      }
    } catch {
      // No connection for a moment: the next round will tell.
    }
    setTimeout(poll, 1500);
  }

  setTimeout(poll, 1500);
})();
