"""The right end of the header for a signed-in patient (guide G11)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon
from medonline.state.account import AccountState


def account_menu() -> rx.Component:
    """A button with the full name, and its menu. The sign-out is a plain form, so that it works without a socket."""
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
            rx.el.a("Настройки", href=routes.SETTINGS, class_name="menu-item"),
            rx.el.a("Мои входы", href=routes.SESSIONS, class_name="menu-item"),
            rx.el.a("Журнал", href=routes.JOURNAL, class_name="menu-item"),
            rx.el.form(
                rx.el.button("Выйти", type="submit", class_name="menu-item"),
                method="post",
                action=routes.SESSION_CLOSE,
            ),
            id="account-menu",
            class_name="menu",
            hidden=True,
        ),
        _session_warning(),
        class_name="account",
        custom_attrs={
            "data-session-left": routes.SESSION_LEFT,
            "data-session-extend": routes.SESSION_EXTEND,
            "data-owner": AccountState.owner_mark,
        },
    )


def _session_warning() -> rx.Component:
    """The warning two minutes before the session ends. `browser/account/session_end.js` opens it and fills it in."""
    return rx.el.dialog(
        rx.el.div(
            rx.el.h2("Вы ещё здесь?", id="session-warning-title", class_name="dialog-title", tab_index=-1),
            rx.el.p("Вы давно ничего не делали. Чтобы никто другой не увидел ваши данные, вход скоро завершится."),
            rx.el.p(id="session-warning-left", class_name="lead", aria_live="off"),
            rx.el.button("Остаться", type="button", id="session-stay", class_name="button primary wide"),
            rx.el.form(
                rx.el.button("Выйти сейчас", type="submit", class_name="button secondary wide"),
                method="post",
                action=routes.SESSION_CLOSE,
            ),
            class_name="panel stack",
        ),
        id="session-warning",
        class_name="dialog",
        role="alertdialog",
    )
