// Native modal dialogs. An open dialog has an entry in the history, so Back closes it instead of leaving the page. Where the browser
// knows `commandfor`, the buttons open the dialogs even without this script. Once this script runs, it prevents the browser's own way.
import { under } from "../shared/dom.js";
import { showLastTab } from "./tabs.js";

/** @type {Element | null} */
let opener = null;
let closing = false; // a second click must not go back once more, out of the portal

/** @returns {HTMLDialogElement | null} */
const openOne = () => document.querySelector("dialog[open]");

/** @param {string | undefined} id */
function openDialog(id) {
  const dialog = document.getElementById(id ?? "");
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  const before = openOne();
  if (before) before.close("replaced");
  else {
    opener = document.activeElement;
    history.pushState({ ...history.state, dialog: id }, "");
  }
  // A dialog has a name only while it is open. The name of a closed dialog would give a search by label one more match.
  dialog.setAttribute("aria-labelledby", `${id}-title`);
  showLastTab(dialog);
  dialog.showModal();
  /** @type {HTMLElement | null} */
  const first = dialog.querySelector("[role=tab][aria-selected=true], .dialog-title");
  first?.focus();
}

/** @param {HTMLDialogElement} dialog */
function closeDialog(dialog) {
  if (closing) return;
  if (history.state?.dialog) {
    closing = true;
    history.back();
  } else dialog.close();
}

// Sent by portal/early_ways.js.
document.addEventListener("portal:open-dialog", (event) => openDialog(/** @type {CustomEvent<string>} */ (event).detail));

addEventListener("popstate", () => {
  closing = false;
  openOne()?.close();
});

document.addEventListener(
  "close",
  (event) => {
    const dialog = /** @type {HTMLDialogElement} */ (event.target);
    dialog.removeAttribute("aria-labelledby");
    if (dialog.returnValue !== "replaced" && opener instanceof HTMLElement) opener.focus();
    dialog.returnValue = "";
  },
  true,
);

document.addEventListener(
  "cancel",
  (event) => {
    if (!(event.target instanceof HTMLDialogElement)) return;
    event.preventDefault();
    closeDialog(event.target);
  },
  true,
);

document.addEventListener("click", (event) => {
  const open = under(event, "[data-dialog-open]");
  if (open) {
    event.preventDefault();
    openDialog(open.dataset.dialogOpen);
    return;
  }
  const dialog = under(event, "dialog");
  const onBackdrop = event.target === dialog;
  if (!(dialog instanceof HTMLDialogElement) || !dialog.open) return;
  if (onBackdrop || under(event, "[data-dialog-close]")) closeDialog(dialog);
});
