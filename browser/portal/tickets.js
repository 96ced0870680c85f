// A ticket that came back over the socket is posted to the route that sets the cookie.
import { all } from "../shared/dom.js";
import { postTicket } from "../shared/post_ticket.js";

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
    postTicket(form.dataset.ticketAction ?? "", ticket);
  }
}
