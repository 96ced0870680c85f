"""Below the settings: the accounts at Gosuslugi that open the account, and how to unlink one."""

from __future__ import annotations

import reflex as rx

from medonline.components.forms import error_summary
from medonline.components.row_buttons import asked_first
from medonline.state.account_settings import SettingsState

state = SettingsState


def identities_section() -> rx.Component:
    """Each account at Gosuslugi: since when and how it was linked, and a button to unlink it."""
    return rx.el.section(
        rx.el.h2("Учётные записи Госуслуг", id="identities", tab_index=-1),
        error_summary(state.unlink_error, state.unlink_error_no, ""),
        rx.cond(
            state.identities.length() > 0,
            rx.fragment(
                rx.el.p(
                    "Через них можно войти в этот личный кабинет. Если вы не связывали кабинет с Госуслугами или запись не ваша, "
                    "отвяжите её и смените пароль."
                ),
                rx.el.ul(rx.foreach(state.identities, _identity), class_name="session-list"),
                rx.el.p(
                    "Если данные на Госуслугах и в кабинете совпадают, связь появится снова, когда вы войдёте через Госуслуги.",
                    class_name="hint",
                ),
            ),
            rx.el.p("С кабинетом не связана ни одна учётная запись Госуслуг.", class_name="hint"),
        ),
        aria_labelledby="identities",
        class_name="stack",
    )


def _identity(one: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.p(one.linked),
        rx.el.p("Последний вход: ", one.used, class_name="hint"),
        asked_first(
            state.unlinking == one.number,
            label="Отвязать",
            spoken="Отвязать учётную запись Госуслуг. " + one.linked.to(str),
            ask=state.ask_unlink(one.number),
            title="Отвязать учётную запись Госуслуг",
            question=rx.el.span("Отвязать? Войти через неё будет нельзя."),
            yes="Да, отвязать",
            act=state.unlink(one.number),
            leave=state.ask_unlink(""),
        ),
        class_name="session",
        key=one.number,
    )
