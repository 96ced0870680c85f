"""«Регистрация» (the guide's part E): the consent, before Gosuslugi or after the return from there."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import error_summary
from medonline.components.gosuslugi import gosuslugi_form, leave_gosuslugi_form
from medonline.components.proof import page_mark, ticket_attributes
from medonline.dialogs.desk import turn_to_desk
from medonline.pages.frame import page
from medonline.state.account import AccountState
from medonline.state.gosuslugi.register import RegisterState


def register() -> rx.Component:
    """The consent with its two answers. A refusal ends the registration."""
    return page(rx.cond(RegisterState.refused, _refused(), _consent()), name="narrow")


def _consent() -> rx.Component:
    back_from_gosuslugi = RegisterState.full_name != ""
    return rx.el.section(
        rx.el.h1("Регистрация: согласие на обработку персональных данных", id="step-title", tab_index=-1),
        error_summary(RegisterState.error, RegisterState.error_no, ""),
        rx.cond(
            back_from_gosuslugi,
            rx.el.p(
                "Госуслуги подтвердили: вы ",
                rx.el.strong(RegisterState.full_name),
                ", дата рождения ",
                rx.el.strong(RegisterState.birth_date),
                ". Осталось ваше согласие, и личный кабинет откроется.",
            ),
            rx.el.p("Чтобы открыть личный кабинет, нужны ваше согласие и подтверждённая учётная запись на Госуслугах."),
        ),
        rx.el.div(
            rx.foreach(RegisterState.paragraphs, lambda text: rx.el.p(text)),
            class_name="consent-text",
            role="region",
            aria_label="Текст согласия",
        ),
        rx.cond(back_from_gosuslugi, _agree_after(), _agree_before()),
        rx.el.button(
            "Нет, я отказываюсь", type="button", on_click=RegisterState.refuse, class_name="button secondary wide"
        ),
        rx.cond(
            back_from_gosuslugi,
            rx.el.button(
                "У меня уже есть личный кабинет по телефону",
                type="button",
                on_click=RegisterState.have_account,
                class_name="link",
            ),
        ),
        class_name="panel stack",
    )


def _agree_before() -> rx.Component:
    return rx.cond(
        AccountState.gosuslugi_on,
        gosuslugi_form("Да, я согласен", "registration", consent=RegisterState.version),
        rx.el.div(
            turn_to_desk("Регистрация через Госуслуги сейчас отключена. Обратитесь в ", "."), class_name="notice"
        ),
    )


def _agree_after() -> rx.Component:
    return rx.el.form(
        page_mark(),
        rx.el.button("Да, я согласен", type="submit", class_name="button primary wide"),
        on_submit=RegisterState.consent,
        method="post",
        action=routes.REGISTER,
        custom_attrs=ticket_attributes(RegisterState.ticket, RegisterState.ticket_page),
    )


def _refused() -> rx.Component:
    return rx.el.section(
        rx.el.h1("Регистрация остановлена"),
        rx.el.p(
            "Вы отказались, поэтому личный кабинет не открыт. Ничего из ваших данных на портале не осталось.",
            role="status",
        ),
        turn_to_desk("Записаться к врачу можно и без кабинета: обратитесь в ", "."),
        rx.el.a("На главную", href=routes.HOME, class_name="button primary wide"),
        rx.cond(RegisterState.came_from_gosuslugi, leave_gosuslugi_form("Выйти и из Госуслуг")),
        class_name="panel stack",
    )
