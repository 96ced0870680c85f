"""The region's contacts, in person or by phone."""

from __future__ import annotations

import reflex as rx

from medonline.components.known import known_link, known_text, shown_if
from medonline.state.account import AccountState


def turn_to_desk(before: str, after: str) -> rx.Component:
    """«Обратитесь в регистратуру …», and the phone number if there is one."""
    return rx.el.p(before, desk(), after, support_phone_after(" Телефон поддержки: "))


def desk() -> rx.Component:
    """The region's desk, in the accusative."""
    return known_text("desk", AccountState.desk)


def support_phone_after(label: str) -> rx.Component:
    """The label and the support number, as a link that calls it. Nothing if the region names no number."""
    number = rx.cond(
        AccountState.support_tel != "",
        rx.el.a(AccountState.support_phone, href=AccountState.support_tel, class_name="link phone"),
        AccountState.support_phone,
    )
    return rx.cond(AccountState.support_phone != "", rx.fragment(label, number, "."))


def support_phone_at_once(label: str) -> rx.Component:
    """The same as `support_phone_after`, but filled in for the first frame of a page."""
    phone, tel = known_text("support_phone", AccountState.support_phone), AccountState.support_tel
    return rx.el.span(
        label,
        rx.el.span(
            known_link(phone, "support_tel", tel, class_name="link phone"),
            **shown_if("support_tel", tel != ""),
        ),
        rx.el.span(known_text("support_phone", AccountState.support_phone), **shown_if("support_undialled", tel == "")),
        ".",
        **shown_if("support_phone", AccountState.support_phone != ""),
    )
