"""The recovery wizard's panel (guide G15-G19). It has its own address, so that a reload and Back work as expected
(docs/decisions/0003)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import (
    answered_form,
    back_and_close,
    field,
    password_input,
    password_rules,
    submit,
    suggested_password,
)
from medonline.components.icons import icon
from medonline.dialogs.codes import call_block, code_entry, code_form, code_hint, delivery, resend_block
from medonline.dialogs.desk import turn_to_desk
from medonline.dialogs.login import TROUBLE, login_form
from medonline.dialogs.password_recovery.birth_date import birth_date_step, refused_step
from medonline.dialogs.password_recovery.parts import (
    error_of,
    gosuslugi_way,
    progress,
    shared_computer,
    start_again,
    summary,
    title,
)
from medonline.dialogs.password_recovery.phone_step import phone_step
from medonline.dialogs.password_recovery.stopped import stopped_step
from medonline.state.account import AccountState
from medonline.state.password_recovery.screen import PHONE
from medonline.state.password_recovery.state import RecoveryState

screen = RecoveryState.screen


def password_recovery_panel() -> rx.Component:
    """One step at a time. By `data-step`, `browser/portal/focus.js` knows when to move the focus to the new heading."""
    steps = {
        "code": code_step(),
        "birth_date": birth_date_step(),
        "refused": refused_step(),
        "stopped": stopped_step(),
        "new_password": password_step(),
        "done": done_step(),
        "no_account": no_account_step(),
    }
    for name, step in steps.items():
        # A key per step, so that React does not reuse elements for the next step: they would keep the changes of the scripts in `browser/`.
        step.key = name
    return rx.el.section(
        rx.match(screen.step, *steps.items(), phone_step()),
        rx.cond(screen.step != PHONE, shared_computer()),
        class_name="panel wizard",
        custom_attrs={"data-step": screen.step, "data-loaded": rx.cond(RecoveryState.loaded, "yes", "")},
    )


def code_step() -> rx.Component:
    """Step 2 (guide G16, G17)."""
    return rx.el.div(
        back_and_close(start_again("Назад", "back"), routes.HOME),
        progress(2),
        title(screen.step_2),
        rx.el.p(
            "Номер: ",
            rx.el.strong(screen.phone, class_name="phone-masked"),
            rx.el.strong(class_name="phone-full", custom_attrs={"data-show-phone": ""}),
            " ",
            start_again("Изменить", "link"),
            class_name="phone-line",
        ),
        code_hint(screen),
        summary(rx.cond(screen.code_alive, RecoveryState.error_field, "")),
        delivery(screen, RecoveryState.resend),
        rx.cond(
            screen.patient_calls,
            call_block(screen, RecoveryState.error, RecoveryState.take_call),
            code_entry(
                screen,
                RecoveryState.error,
                code_form(screen, error_of("code"), RecoveryState.confirm_code, routes.RECOVERY),
            ),
        ),
        resend_block(screen, RecoveryState.resend),
        rx.el.div(gosuslugi_way("button secondary wide"), class_name="resend"),
    )


def password_step() -> rx.Component:
    """Step 3 (guide G18)."""
    error = error_of("new_password")
    return rx.el.div(
        back_and_close(start_again("Назад", "back"), routes.HOME),
        progress(3),
        title("ШАГ 3. УКАЖИТЕ НОВЫЙ ПАРОЛЬ"),
        rx.el.p("Укажите новый пароль для входа в личный кабинет"),
        rx.cond(
            screen.password_clock != "",
            rx.el.p("Задать его можно до ", screen.password_clock, ".", class_name="hint"),
        ),
        answered_form(
            summary(),
            rx.el.input(
                type="text",
                name="username",
                auto_complete="username",
                class_name="visually-hidden",
                tab_index=-1,
                aria_hidden=True,
                read_only=True,
                custom_attrs={"data-fill": "phone"},
            ),
            field(
                "Новый пароль",
                password_input(
                    "new_password",
                    "new_password",
                    error,
                    new=True,
                    noun="новый пароль",
                    hint=True,
                    custom_attrs=password_rules(screen.min_length),
                ),
                field_id="new_password",
                hint=rx.fragment(
                    rx.cond(
                        screen.signs_allowed,
                        "Пароль может содержать буквы латинского алфавита, цифры и знаки. ",
                        "Пароль может содержать только заглавные и строчные буквы латинского алфавита и цифры. ",
                    ),
                    "Минимальная длина - ",
                    screen.min_length,
                    " символов",
                ),
                error=error,
                below=suggested_password(error, "new_password"),
            ),
            submit("СМЕНИТЬ ПАРОЛЬ"),
            on_submit=RecoveryState.change_password,
            action=routes.RECOVERY,
        ),
    )


def done_step() -> rx.Component:
    """The notification of success, and the sign-in form (guide G19)."""
    return rx.el.div(
        back_and_close(rx.el.span(), routes.HOME),
        rx.el.div(
            icon("check"),
            rx.el.div(
                title("Новый пароль установлен"),
                rx.el.p("Вы вышли из личного кабинета на всех устройствах. Войдите с новым паролем."),
                rx.cond(
                    screen.unlinked,
                    rx.el.p(
                        "Учётная запись Госуслуг, связанная с кабинетом по паролю или по коду, больше его не открывает. "
                        "Если она ваша, войдите через Госуслуги и подтвердите кабинет новым паролем."
                    ),
                ),
                rx.cond(
                    screen.passkeys_off,
                    rx.el.p(
                        "Вход по отпечатку, лицу или PIN отключён на всех устройствах. Чтобы входить так снова, добавьте его в "
                        "настройках кабинета."
                    ),
                ),
            ),
            role="status",
            class_name="success",
        ),
        summary(),
        login_form(),
        rx.el.div(
            rx.el.a("Не могу войти", href=f"{routes.HOME}#{TROUBLE}", class_name="link"),
            start_again("Восстановить пароль ещё раз", "link"),
            class_name="links",
        ),
    )


def no_account_step() -> rx.Component:
    """The phone is proved, but no account has it."""
    return rx.el.div(
        back_and_close(start_again("Назад", "back"), routes.HOME),
        title("К этому номеру личный кабинет не привязан"),
        rx.el.p("Номер: ", rx.el.strong(screen.phone), class_name="phone-line"),
        rx.el.p("Возможно, кабинет зарегистрирован на другой ваш номер. Попробуйте его."),
        rx.el.button(
            "Указать другой номер", type="button", on_click=RecoveryState.start_again, class_name="button primary wide"
        ),
        rx.cond(
            AccountState.gosuslugi_on,
            rx.el.p(
                "Если кабинета нет совсем, ",
                rx.el.a("зарегистрируйтесь через Госуслуги", href=routes.REGISTER, class_name="link"),
                ".",
            ),
            turn_to_desk("Если кабинета нет совсем, обратитесь в ", ": возьмите паспорт, полис ОМС и этот телефон."),
        ),
    )
