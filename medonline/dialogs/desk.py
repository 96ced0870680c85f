"""Whom to turn to in person or by telephone, as the region says."""

from __future__ import annotations

import reflex as rx

from medonline.state.account import AccountState


def turn_to_desk(before: str, after: str) -> rx.Component:
    """«Обратитесь в регистратуру …», and the telephone where there is one."""
    return rx.el.p(before, AccountState.desk, after, support_phone_after(" Телефон поддержки: "))


def support_phone_after(label: str) -> rx.Component:
    """The label and the number, which one tap calls; nothing where the region names none."""
    number = rx.cond(
        AccountState.support_tel != "",
        rx.el.a(AccountState.support_phone, href=AccountState.support_tel, class_name="link phone"),
        AccountState.support_phone,
    )
    return rx.cond(AccountState.support_phone != "", rx.fragment(label, number, "."))
