"""The button that leads to Gosuslugi (guide G03). It is a plain form, so that it works without a socket."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon


def gosuslugi_form(
    label: str, purpose: str, *, consent: rx.Var[str] | str = "", class_name: str = "button primary wide"
) -> rx.Component:
    """The form to Gosuslugi. By `purpose` the server decides where the journey ends. `consent`: the version that the person has agreed to,
    if any."""
    return rx.el.form(
        rx.el.input(type="hidden", name="purpose", value=purpose),
        rx.el.input(type="hidden", name="consent", value=consent),
        rx.el.button(icon("state"), label, type="submit", class_name=class_name),
        method="post",
        action=routes.GOSUSLUGI_START,
        class_name="plain-form",
    )


def leave_gosuslugi_form(label: str) -> rx.Component:
    """The form that signs out at Gosuslugi, which remembers who signed in, so that another person can sign in there."""
    return rx.el.form(
        rx.el.button(label, type="submit", class_name="button secondary wide"),
        method="post",
        action=routes.GOSUSLUGI_LEAVE,
        class_name="plain-form",
    )
