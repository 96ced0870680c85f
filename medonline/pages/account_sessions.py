"""«Мои входы»: the patient's own sessions."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.row_buttons import row_button
from medonline.pages.frame import page
from medonline.state.account_sessions import SessionsState

state = SessionsState


def sessions() -> rx.Component:
    """Each signed-in browser, and how to end it."""
    return page(
        rx.el.h1("Мои входы"),
        rx.el.p(
            "Здесь видно, где открыт ваш личный кабинет. Незнакомый вход завершите и ",
            rx.el.a("смените пароль", href=routes.SETTINGS, class_name="link"),
            ".",
        ),
        rx.cond(state.notice != "", rx.el.div(state.notice, class_name="notice", role="status")),
        rx.cond(
            state.ready,
            rx.fragment(
                rx.el.ul(rx.foreach(state.sessions, _session), class_name="session-list"),
                rx.cond(
                    state.others > 0,
                    rx.el.button(
                        "Завершить все остальные входы",
                        type="button",
                        on_click=state.end_others,
                        class_name="button secondary wide",
                    ),
                ),
            ),
            rx.el.p("Загружаем…", class_name="hint", role="status"),
        ),
        name="narrow",
    )


def _session(one: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(one.device),
            rx.cond(one.mine, rx.el.span("Это устройство", class_name="badge")),
            class_name="session-head",
        ),
        rx.el.p("Вход ", one.method, ", ", one.begun),
        rx.el.p("Последнее действие: ", one.seen, class_name="hint"),
        rx.cond(one.network != "", rx.el.p("Откуда: ", one.network, class_name="hint")),
        rx.cond(
            ~one.mine,
            row_button("Завершить", "Завершить вход: " + one.device.to(str), state.end(one.number)),
        ),
        class_name="session",
        key=one.number,
    )
