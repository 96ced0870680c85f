"""What the steps of the wizard share."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import error_summary
from medonline.components.gosuslugi import gosuslugi_form
from medonline.dialogs.desk import turn_to_desk
from medonline.state.account import AccountState
from medonline.state.password_recovery.state import RecoveryState


def start_again(label: str, class_name: str) -> rx.Component:
    """A button that gives up the recovery and goes back to the phone."""
    return rx.el.button(label, type="button", on_click=RecoveryState.start_again, class_name=class_name)


def title(text: str | rx.Var[str]) -> rx.Component:
    """The heading of a step. It gets the focus when the step changes."""
    return rx.el.h1(text, id="step-title", class_name="step-title", tab_index=-1)


def progress(step: int) -> rx.Component:
    """Three bars, `step` of them filled."""
    return rx.el.div(
        *(rx.el.span(class_name="progress-done" if n <= step else "progress-todo") for n in (1, 2, 3)),
        role="img",
        aria_label=f"Шаг {step} из 3",
        class_name="progress",
    )


def shared_computer() -> rx.Component:
    """A way to leave nothing to the next person. It is shown on a wide screen, which may be a shared computer. It is a plain form like the
    sign-out."""
    return rx.el.form(
        rx.el.span("Чужой компьютер? "),
        rx.el.button("Прервать и забыть меня здесь", type="submit", class_name="link"),
        method="post",
        action=routes.SESSION_CLOSE,
        class_name="shared-computer",
    )


def error_of(name: str) -> rx.Var[str]:
    """The error sentence of a field; empty when it has none."""
    return rx.cond(RecoveryState.error_field == name, RecoveryState.error, "")


def summary(field_id: rx.Var[str] = RecoveryState.error_field) -> rx.Component:
    """The error sentence above the form, with a link to the field."""
    return error_summary(RecoveryState.error, RecoveryState.error_no, field_id)


def gosuslugi_way(class_name: str) -> rx.Component:
    """The way through Gosuslugi, which is open at every step. Nothing if Gosuslugi is switched off."""
    return rx.cond(
        AccountState.gosuslugi_on, gosuslugi_form("Войти через Госуслуги", "recovery", class_name=class_name)
    )


def desk_way() -> rx.Component:
    """The last way, in person."""
    return turn_to_desk("Можно обратиться и в ", ": возьмите паспорт, полис ОМС и этот телефон.")
