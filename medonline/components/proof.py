"""What a form needs whose answer is a ticket: `browser/portal/tickets.js` posts it to the route that sets the session cookie."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes


def ticket_attributes(ticket: rx.Var[str], page: rx.Var[str]) -> dict[str, Any]:
    """The attributes that `browser/portal/tickets.js` looks at."""
    return {"data-ticket": ticket, "data-ticket-page": page, "data-ticket-action": routes.SESSION_OPEN}


def page_mark() -> rx.Component:
    """Carries the name of this load of the page, which alone may post the ticket."""
    return rx.el.input(type="hidden", name="page")
