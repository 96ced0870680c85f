"""The right end of the header for a signed-in patient (guide G11)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon
from medonline.state.account import AccountState


def account_menu() -> rx.Component:
    """A button with the full name; its menu. Signing out is a plain form: it works without a socket."""
    return rx.el.div(
        rx.el.button(
            icon("user"),
            rx.el.span(AccountState.full_name, class_name="account-name"),
            type="button",
            class_name="account-button",
            aria_expanded="false",
            aria_controls="account-menu",
            custom_attrs={"data-menu": "account-menu"},
        ),
        rx.el.div(
            rx.el.a("Мои карты", href=routes.CARDS, class_name="menu-item"),
            rx.el.form(
                rx.el.button("Выйти", type="submit", class_name="menu-item"),
                method="post",
                action=routes.SESSION_CLOSE,
            ),
            id="account-menu",
            class_name="menu",
            hidden=True,
        ),
        class_name="account",
    )
