"""The button that leads to Gosuslugi (guide G03): a plain form, so that it works without a socket."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon


def gosuslugi_form(
    label: str, purpose: str, *, consent: rx.Var[str] | str = "", class_name: str = "button primary wide"
) -> rx.Component:
    """`purpose` decides on the server where the journey ends; `consent` is the version that was agreed to, if any."""
    return rx.el.form(
        rx.el.input(type="hidden", name="purpose", value=purpose),
        rx.el.input(type="hidden", name="consent", value=consent),
        rx.el.button(icon("state"), label, type="submit", class_name=class_name),
        method="post",
        action=routes.GOSUSLUGI_START,
        class_name="plain-form",
    )


def leave_gosuslugi_form(label: str) -> rx.Component:
    """Gosuslugi remembers who signed in there; this ends it, so that another person can."""
    return rx.el.form(
        rx.el.button(label, type="submit", class_name="button secondary wide"),
        method="post",
        action=routes.GOSUSLUGI_LEAVE,
        class_name="plain-form",
    )
