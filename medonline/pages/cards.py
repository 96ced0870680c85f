"""«Мои карты» (guide G10): where every sign-in lands."""

from __future__ import annotations

import reflex as rx

from medonline.components.icons import icon
from medonline.components.layout import page
from medonline.pages.header import account_menu
from medonline.state.account import AccountState


def cards() -> rx.Component:
    """Greets by name; no cards are linked yet."""
    return page(
        rx.cond(AccountState.signed_in, account_menu()),
        rx.el.h1("Мои карты"),
        rx.cond(
            AccountState.cards_ready,
            rx.el.div(
                rx.el.p("Здравствуйте, ", AccountState.greeting, "!", class_name="lead"),
                rx.el.div(
                    icon("card"),
                    rx.el.h2("Карт пока нет"),
                    rx.el.p(
                        "Здесь появятся ваши медицинские карты в поликлиниках. "
                        "Чтобы прикрепиться к поликлинике, обратитесь в её регистратуру с паспортом и полисом ОМС."
                    ),
                    class_name="empty",
                ),
            ),
            rx.el.p("Загружаем…", class_name="hint", role="status"),
        ),
        name="cards",
    )
