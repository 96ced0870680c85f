"""What the pages of the portal share: the right end of the header, and the region and the operator of personal data in the footer."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components import layout
from medonline.components.known import known_link, known_text, shown_if
from medonline.dialogs.desk import support_phone_at_once
from medonline.pages.header import account_menu
from medonline.state.account import AccountState


def page(*children: rx.Component, name: str, header_end: rx.Component | None = None) -> rx.Component:
    """A page. Its header shows the account's menu to a signed-in patient, and `header_end` to everybody else."""
    return layout.page(
        rx.cond(AccountState.signed_in, account_menu(), header_end if header_end is not None else rx.fragment()),
        *children,
        name=name,
        below=rx.fragment(_region(), _personal_data()),
    )


def _region() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Регион: ",
            known_text("region_name", AccountState.region_name),
            ". ",
            rx.el.a("Сменить регион", href=routes.REGION, class_name="link"),
            **shown_if("region_name", AccountState.region_name != ""),
        ),
        rx.el.p(support_phone_at_once("Поддержка: ")),
    )


def _personal_data() -> rx.Component:
    """Who is responsible for the patients' data, and by which rules. Each line is shown if the installation names it."""
    return rx.fragment(
        rx.el.p(
            "Оператор персональных данных: ",
            known_text("operator", AccountState.operator),
            **shown_if("operator", AccountState.operator != ""),
        ),
        rx.el.p(
            known_link(
                "Политика обработки персональных данных", "data_policy", AccountState.data_policy, class_name="link"
            ),
            **shown_if("data_policy", AccountState.data_policy != ""),
        ),
    )
