// Opens the dialog that the address asks for: `#recovery-way`, `?login=again`.
import { element } from "../shared/dom.js";
import { openDialog, selectTab } from "./early_ways.js";

/** Called after each change of the page, because the app also goes from page to page without a load. */
export function openAsked() {
  const again = new URLSearchParams(location.search).get("login") === "again";
  const asked = again ? "login" : location.hash.slice(1);
  const target = asked ? document.getElementById(asked) : null;
  const tab = target?.role === "tab" ? target : null; // the address of a tab opens the dialog around it
  const dialog = tab ? tab.closest("dialog") : target;
  if (!(dialog instanceof HTMLDialogElement)) return;
  // The address must ask only once. `login=asked` stays, because the app reads there why the dialog is open.
  history.replaceState(history.state, "", again ? `${location.pathname}?login=asked` : location.pathname);
  if (again) document.dispatchEvent(new CustomEvent("portal:sign-in-again"));
  openDialog(dialog.id);
  if (tab) selectTab(tab, false);
  if (again) selectTab(element("tab-password"), true);
}
