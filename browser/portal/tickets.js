// Posts a ticket that came over the socket to the route that sets the cookie.
import { all } from "../shared/dom.js";
import { postTicket } from "../shared/post_ticket.js";

/**
 * The name of this load of the page. Only the load that asked for a ticket posts it. A later load may get the same state again, and
 * would post a used ticket for ever.
 */
export const PAGE = Math.random().toString(36).slice(2);

/** Posts each ticket that this load asked for, once. */
export function postTickets() {
  for (const form of all("form[data-ticket]")) {
    const { ticket, ticketPage, posted } = form.dataset;
    if (!ticket || ticketPage !== PAGE || posted === ticket) continue;
    form.dataset.posted = ticket;
    postTicket(form.dataset.ticketAction ?? "", ticket);
  }
}
