// A ticket that came back over the socket is posted to the route that sets the cookie.
import { all } from "../shared/dom.js";
import { PHONE_KEY, forget } from "../shared/tab_storage.js";

/**
 * Names this load of the page: a ticket is posted only by the load that asked for it. A later load may be shown the same state
 * again, and would post a used ticket for ever.
 */
export const PAGE = Math.random().toString(36).slice(2);

/** Post each ticket that this load asked for, once. */
export function postTickets() {
  for (const form of all("form[data-ticket]")) {
    const { ticket, ticketPage, posted } = form.dataset;
    if (!ticket || ticketPage !== PAGE || posted === ticket) continue;
    form.dataset.posted = ticket;
    post(form.dataset.ticketAction ?? "", ticket);
  }
}

/**
 * @param {string} action
 * @param {string} ticket
 */
function post(action, ticket) {
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
