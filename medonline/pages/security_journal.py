"""«Журнал»: the patient's own part of the security journal."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon
from medonline.pages.frame import page
from medonline.state.account import AccountState
from medonline.state.security_journal import JournalScreen, JournalState

state = JournalState


def journal() -> rx.Component:
    """What happened, when, from where."""
    return page(
        rx.el.h1("Журнал"),
        rx.el.p(
            "Здесь записано, кто и когда входил в ваш личный кабинет, что в нём менял и когда на ваш номер запрашивали "
            "коды. Незаметно исправить или стереть запись нельзя.",
            rx.cond(state.kept_for != "", rx.fragment(" Записи хранятся ", state.kept_for, ".")),
        ),
        rx.el.p(
            "Если что-то сделали не вы, ",
            rx.el.a("смените пароль", href=routes.SETTINGS, class_name="link"),
            ", завершите чужие входы на странице ",
            rx.el.a("«Мои входы»", href=routes.SESSIONS, class_name="link"),
            " и обратитесь в ",
            AccountState.desk,
            ".",
        ),
        rx.cond(
            state.ready,
            rx.fragment(
                rx.cond(
                    state.rows.length() > 0,
                    rx.foreach(state.days, _day),
                    rx.el.p("Записей пока нет.", class_name="notice"),
                ),
                rx.cond(
                    state.more,
                    rx.el.button(
                        "Показать более ранние",
                        type="button",
                        on_click=state.show_more,
                        class_name="button secondary wide",
                    ),
                ),
                rx.cond(
                    state.full,
                    rx.el.p(
                        "За более ранними записями обратитесь в ", AccountState.desk, " с паспортом.", class_name="hint"
                    ),
                ),
            ),
            rx.el.p("Загружаем…", class_name="hint", role="status"),
        ),
        name="narrow",
    )


def _day(day: rx.Var) -> rx.Component:
    return rx.el.section(
        rx.el.h2(day.name),
        rx.el.ol(rx.foreach(day.rows.to(list[JournalScreen]), _row), class_name="journal"),
        class_name="journal-day",
    )


def _row(row: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.p(row.clock, class_name="journal-when"),
        rx.el.p(row.text),
        rx.cond(row.noteworthy, rx.el.p(icon("alert"), "Проверьте, вы ли это", class_name="journal-check")),
        rx.cond(row.where != "", rx.el.p(row.where, class_name="hint")),
        class_name=rx.cond(row.noteworthy, "journal-row noteworthy", "journal-row"),
    )
