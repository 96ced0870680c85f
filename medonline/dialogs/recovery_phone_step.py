"""«ШАГ 1. УКАЖИТЕ ТЕЛЕФОН» (guide G15)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import back_and_close, field, phone_input, submit
from medonline.components.icons import icon
from medonline.dialogs.recovery_parts import error_of, progress, summary, title
from medonline.dialogs.trouble_picker import WAY
from medonline.state.recovery import RecoveryState


def phone_step() -> rx.Component:
    """The number and the way to get a code."""
    error = error_of("phone")
    return rx.el.div(
        back_and_close(rx.el.a("Назад", href=f"{routes.HOME}#{WAY}", class_name="back"), routes.HOME),
        progress(1),
        title("ШАГ 1. УКАЖИТЕ ТЕЛЕФОН"),
        rx.el.p(
            "Укажите номер сотового телефона, на который зарегистрирован личный кабинет, "
            "и выберите, как получить проверочный код."
        ),
        rx.el.form(
            summary(),
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
        rx.cond(
            RecoveryState.call_offered,
            rx.fragment(_call(), rx.cond(RecoveryState.telegram_offered, _telegram(checked=False))),
            _telegram(checked=True),
        ),
        class_name="channels",
        id="channel",
    )


def _call() -> rx.Component:
    note = "Код — последние 4 цифры номера, с которого позвонят"
    return _channel("flash_call", "Проверочный звонок", note, "phone", checked=True)


def _telegram(*, checked: bool) -> rx.Component:
    note = "Код придёт в канал «Коды подтверждения»"
    return _channel("telegram", "Код в Telegram", note, "message", checked=checked)


def _channel(value: str, label: str, note: str, drawing: str, *, checked: bool) -> rx.Component:
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
