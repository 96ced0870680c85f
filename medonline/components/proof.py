"""The parts of a form whose answer is a ticket. `browser/portal/tickets.js` posts the ticket to the route that sets the session cookie."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes


def ticket_attributes(ticket: rx.Var[str], page: rx.Var[str]) -> dict[str, Any]:
    """The attributes that `browser/portal/tickets.js` reads."""
    return {"data-ticket": ticket, "data-ticket-page": page, "data-ticket-action": routes.SESSION_OPEN}


def page_mark() -> rx.Component:
    """A hidden field with the name of this page load. Only this load may post the ticket."""
    return rx.el.input(type="hidden", name="page")
