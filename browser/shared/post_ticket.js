// Posts a ticket as a form. The answer sets the cookie and redirects to the next page.
import { PHONE_KEY, forget } from "./tab_storage.js";

/**
 * @param {string} action
 * @param {string} ticket
 */
export function postTicket(action, ticket) {
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
  form.submit();
}
