"""The recovery wizard's panel (guide G15-G19). It has an address of its own, so that reload and Back behave
(docs/decisions/0003)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import (
    back_and_close,
    error_summary,
    field,
    password_input,
    phone_input,
    submit,
    text_input,
)
from medonline.components.icons import icon
from medonline.dialogs.code_delivery import delivery, resend_block
from medonline.dialogs.login import login_form
from medonline.dialogs.trouble_picker import WAY
from medonline.state.recovery import RecoveryState

screen = RecoveryState.screen


def password_recovery_panel() -> rx.Component:
    """One step at a time; `data-step` tells portal.js when to move the focus to the new heading."""
    return rx.el.section(
        rx.match(
            screen.step,
            ("code", code_step()),
            ("new_password", password_step()),
            ("done", done_step()),
            ("no_account", no_account_step()),
            phone_step(),
        ),
        class_name="panel wizard",
        custom_attrs={"data-step": screen.step},
    )


def phone_step() -> rx.Component:
    """G15."""
    error = _error_of("phone")
    return rx.el.div(
        back_and_close(rx.el.a("Назад", href=f"{routes.HOME}#{WAY}", class_name="back"), routes.HOME),
        _progress(1),
        _title("ШАГ 1. УКАЖИТЕ ТЕЛЕФОН"),
        rx.el.p(
            "Укажите номер сотового телефона, на который зарегистрирован личный кабинет, "
            "и выберите, как получить проверочный код."
        ),
        rx.el.form(
            _summary(),
            field(
                "Номер сотового телефона",
                phone_input("phone", error),
                field_id="phone",
                error=error,
            ),
            _channels(),
            submit("ДАЛЕЕ"),
            on_submit=RecoveryState.begin,
            method="post",
            action=routes.RECOVERY,
            no_validate=True,
            class_name="form",
            custom_attrs={"data-remember": "phone"},
        ),
    )


def _channels() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Способ получения кода", class_name="label"),
        rx.cond(RecoveryState.error_field == "channel", rx.el.p(RecoveryState.error, class_name="field-error")),
        _channel("flash_call", "Проверочный звонок", "Код — последние 4 цифры номера, с которого позвонят", "phone", True),
        _channel("telegram", "Код в Telegram", "Код придёт в канал «Коды подтверждения»", "message", False),
        class_name="channels",
        id="channel",
    )


def _channel(value: str, label: str, note: str, drawing: str, checked: bool) -> rx.Component:
    field_id = f"channel-{value}"
    return rx.el.div(
        rx.el.input(
            type="radio",
            id=field_id,
            name="channel",
            value=value,
            default_checked=checked,
            aria_describedby=f"{field_id}-note",
        ),
        icon(drawing),
        rx.el.div(
            rx.el.label(label, html_for=field_id, class_name="channel-label"),
            rx.el.span(note, class_name="choice-note", id=f"{field_id}-note"),
        ),
        class_name="channel",
    )


def code_step() -> rx.Component:
    """G16 and G17."""
    error = _error_of("code")
    return rx.el.div(
        back_and_close(_start_again("Назад", "back"), routes.HOME),
        _progress(2),
        _title("ШАГ 2. ВВЕДИТЕ ПРОВЕРОЧНЫЙ КОД"),
        rx.el.p(
            "Номер: ",
            rx.el.strong(screen.phone, class_name="phone-masked"),
            rx.el.strong(class_name="phone-full", custom_attrs={"data-show-phone": ""}),
            " ",
            _start_again("Изменить", "link"),
            class_name="phone-line",
        ),
        rx.cond(
            screen.channel == "telegram",
            rx.el.p("Откройте Telegram и укажите код, который поступил в канал «Коды подтверждения»"),
            rx.el.p(
                "Вам поступит звонок. Отвечать не нужно: последние 4 цифры номера, "
                "с которого позвонили, — это проверочный код."
            ),
        ),
        delivery(),
        rx.el.form(
            _summary(),
            field(
                "Проверочный код",
                text_input("code", "code", error, input_mode="numeric", auto_complete="one-time-code", type="text"),
                field_id="code",
                error=error,
                mark=_code_facts(),
            ),
            submit("ОТПРАВИТЬ"),
            on_submit=RecoveryState.confirm_code,
            reset_on_submit=False,
            method="post",
            action=routes.RECOVERY,
            no_validate=True,
            class_name="form",
        ),
        resend_block(),
    )


def _code_facts() -> rx.Component:
    return rx.cond(
        screen.code_alive,
        rx.el.p(screen.attempts, " Код действует до ", screen.expires_clock, ".", class_name="hint"),
        rx.el.p("Этот код больше не действует: получите новый.", class_name="hint"),
    )


def password_step() -> rx.Component:
    """G18."""
    error = _error_of("new_password")
    return rx.el.div(
        back_and_close(_start_again("Назад", "back"), routes.HOME),
        _progress(3),
        _title("ШАГ 3. УКАЖИТЕ НОВЫЙ ПАРОЛЬ"),
        rx.el.p("Укажите новый пароль для входа в личный кабинет"),
        rx.el.form(
            _summary(),
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
                password_input("new_password", "new_password", error, new=True, noun="новый пароль", hint=True),
                field_id="new_password",
                hint=(
                    "Пароль может содержать только заглавные и строчные буквы латинского алфавита и цифры. "
                    "Минимальная длина - 8 символов"
                ),
                error=error,
            ),
            submit("СМЕНИТЬ ПАРОЛЬ"),
            on_submit=RecoveryState.set_password,
            method="post",
            action=routes.RECOVERY,
            no_validate=True,
            class_name="form",
        ),
    )


def done_step() -> rx.Component:
    """G19: the notification, and the way in at once."""
    return rx.el.div(
        back_and_close(rx.el.span(), routes.HOME),
        rx.el.div(
            icon("check"),
            rx.el.div(
                _title("Новый пароль установлен"),
                rx.el.p("Вы вышли из личного кабинета на всех устройствах. Войдите с новым паролем."),
            ),
            role="status",
            class_name="success",
        ),
        login_form(),
        _start_again("Восстановить пароль ещё раз", "link"),
    )


def no_account_step() -> rx.Component:
    """The phone is proved, nobody signs in with it."""
    return rx.el.div(
        back_and_close(_start_again("Назад", "back"), routes.HOME),
        _title("К этому номеру личный кабинет не привязан"),
        rx.el.p("Номер: ", rx.el.strong(screen.phone), class_name="phone-line"),
        rx.el.p("Возможно, кабинет зарегистрирован на другой ваш номер. Попробуйте его."),
        rx.el.button(
            "Указать другой номер", type="button", on_click=RecoveryState.start_again, class_name="button primary wide"
        ),
        rx.el.p(
            "Если кабинета нет совсем, его откроют в регистратуре поликлиники: "
            "возьмите паспорт, полис ОМС и этот телефон."
        ),
    )


def _start_again(label: str, class_name: str) -> rx.Component:
    return rx.el.button(label, type="button", on_click=RecoveryState.start_again, class_name=class_name)


def _title(text: str) -> rx.Component:
    return rx.el.h1(text, id="step-title", class_name="step-title", tab_index=-1)


def _progress(step: int) -> rx.Component:
    return rx.el.div(
        *(rx.el.span(class_name="progress-done" if n <= step else "progress-todo") for n in (1, 2, 3)),
        role="img",
        aria_label=f"Шаг {step} из 3",
        class_name="progress",
    )


def _error_of(name: str) -> rx.Var[str]:
    return rx.cond(RecoveryState.error_field == name, RecoveryState.error, "")


def _summary() -> rx.Component:
    return error_summary(RecoveryState.error, RecoveryState.error_no, RecoveryState.error_field)
