// Posts a ticket as a form. The answer sets the cookie and redirects to the next page. A ticket that comes while the page is leaving is
// dropped, so that nobody is signed in after «Выйти», and the patient's last press wins.
import { mayLeave } from "./may_leave.js";
import { PHONE_KEY, forget } from "./tab_storage.js";

/**
 * @param {string} action
 * @param {string} ticket
 */
export function postTicket(action, ticket) {
  if (!mayLeave()) return;
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = "ticket";
  input.value = ticket;
  form.append(input);
  document.body.append(form);
  forget(PHONE_KEY);
  form.dispatchEvent(new CustomEvent("portal:leave", { bubbles: true }));
  form.submit();
}
