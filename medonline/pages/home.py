"""The start page (guide G01)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes
from medonline.components.dialog import open_button
from medonline.components.icons import icon
from medonline.components.known import known_link, shown_if
from medonline.dialogs.desk import desk, support_phone_at_once
from medonline.dialogs.login import LOGIN, draft_waits, login_dialog
from medonline.dialogs.trouble_picker import WAY, trouble_dialogs
from medonline.pages.frame import page
from medonline.state.account import AccountState


def home() -> rx.Component:
    """What the portal is for, and «Войти»."""
    return page(
        _notice(),
        _unfinished(),
        rx.el.section(
            rx.el.div(
                rx.el.h1("Личный кабинет пациента"),
                _booking(),
                rx.cond(
                    AccountState.signed_in,
                    rx.el.a("Мои карты", href=routes.CARDS, class_name="button primary large"),
                    rx.el.div(
                        _log_in("button primary large"),
                        rx.el.a(
                            "Зарегистрироваться",
                            href=routes.REGISTER,
                            class_name="button secondary large",
                            **shown_if("gosuslugi", AccountState.gosuslugi_on),
                        ),
                        open_button("Забыли пароль?", WAY, class_name="link"),
                        class_name="hero-actions",
                    ),
                ),
                class_name="hero-text",
            ),
            rx.el.ul(
                _feature(
                    "card",
                    "Медицинские карты",
                    "Ваши карты и карты детей в одном месте.",
                    **shown_if("registry", AccountState.registry_on),
                ),
                _feature(
                    "key",
                    "Восстановление доступа",
                    "Забытый пароль можно сменить самому: по номеру телефона",
                    rx.el.span(" или через Госуслуги", **shown_if("gosuslugi", AccountState.gosuslugi_on)),
                    ".",
                ),
                _feature(
                    "user", "Свои данные под присмотром", "Видно, кто и когда входил в кабинет и что в нём менял."
                ),
                class_name="features",
                aria_label="Возможности портала",
            ),
            class_name="hero",
        ),
        login_dialog(),
        trouble_dialogs(),
        name="home",
        header_end=_log_in("button primary"),
    )


def _booking() -> rx.Component:
    """Where to book a visit. The portal itself does not book visits, and promises no more than the region says."""
    booking = AccountState.booking_url != ""
    return rx.fragment(
        rx.el.p(
            "Доступна запись на приём к врачу в поликлиническое учреждение",
            rx.el.span(
                ": обратитесь в ",
                desk(),
                ".",
                support_phone_at_once(" Телефон поддержки: "),
                **shown_if("no_booking", ~booking),
            ),
            rx.el.span(".", **shown_if("booking", booking)),
            class_name="lead",
        ),
        rx.el.div(
            known_link(
                rx.fragment(icon("calendar"), "Записаться к врачу"),
                "booking_url",
                AccountState.booking_url,
                class_name="button secondary large",
            ),
            **shown_if("booking", booking),
        ),
    )


def _log_in(class_name: str) -> rx.Component:
    return open_button("Войти", LOGIN, class_name=class_name)


def _notice() -> rx.Component:
    return rx.cond(
        AccountState.notice != "",
        rx.el.div(rx.el.span(AccountState.notice), draft_waits(), class_name="notice unfinished", role="status"),
    )


def _unfinished() -> rx.Component:
    return rx.cond(
        AccountState.unfinished_recovery & ~AccountState.signed_in,
        rx.el.div(
            rx.el.span("Вы не закончили восстановление пароля."),
            rx.el.a("Продолжить", href=routes.RECOVERY, class_name="link"),
            class_name="notice unfinished",
            role="status",
        ),
    )


def _feature(drawing: str, title: str, *text: str | rx.Component, **props: Any) -> rx.Component:
    return rx.el.li(icon(drawing), rx.el.div(rx.el.h2(title), rx.el.p(*text)), class_name="feature", **props)
