"""«ШАГ 1. УКАЖИТЕ ТЕЛЕФОН» (guide G15)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.codes import channel_choice
from medonline.components.forms import answered_form, back_and_close, field, phone_input, submit
from medonline.dialogs.codes import no_codes
from medonline.dialogs.password_recovery.parts import error_of, gosuslugi_way, progress, summary, title
from medonline.dialogs.trouble_picker import WAY
from medonline.state.password_recovery.state import RecoveryState


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
        answered_form(
            summary(),
            field(
                "Номер сотового телефона",
                phone_input("phone", error),
                field_id="phone",
                error=error,
            ),
            rx.cond(
                RecoveryState.ways.length() > 0,
                rx.fragment(
                    channel_choice(
                        RecoveryState, rx.cond(RecoveryState.error_field == "channel", RecoveryState.error, "")
                    ),
                    submit("ДАЛЕЕ"),
                ),
                no_codes(RecoveryState.channels_off),
            ),
            on_submit=RecoveryState.begin,
            action=routes.RECOVERY,
            custom_attrs={"data-remember": "phone"},
        ),
        rx.cond(
            RecoveryState.ways.length() > 0,
            rx.cond(RecoveryState.must_wait, gosuslugi_way("button secondary wide")),
            gosuslugi_way("button primary wide"),
        ),
    )
