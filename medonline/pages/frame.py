"""What the pages of the portal share: the header's right end, the region in the footer."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components import layout
from medonline.components.known import known_text, shown_if
from medonline.dialogs.desk import support_phone_at_once
from medonline.pages.header import account_menu
from medonline.state.account import AccountState


def page(*children: rx.Component, name: str, header_end: rx.Component | None = None) -> rx.Component:
    """A page; the header shows the account's menu to a signed-in patient, `header_end` to everybody else."""
    return layout.page(
        rx.cond(AccountState.signed_in, account_menu(), header_end if header_end is not None else rx.fragment()),
        *children,
        name=name,
        below=_region(),
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
