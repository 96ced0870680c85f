"""Between steps 2 and 3, if a call alone is not enough: the birth date or another proof (docs/decisions/0013).

The texts are the same for everyone: with an account, without one, and without a birth date on record.
"""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import answered_form, back_and_close, field, submit, text_input
from medonline.dialogs.codes import other_way
from medonline.dialogs.password_recovery.parts import (
    desk_way,
    error_of,
    gosuslugi_way,
    progress,
    start_again,
    summary,
    title,
)
from medonline.state.password_recovery.state import RecoveryState

screen = RecoveryState.screen


def birth_date_step() -> rx.Component:
    """The date, and below it the ways for a patient whose date does not match."""
    error = error_of("birth_date")
    return rx.el.div(
        back_and_close(start_again("Назад", "back"), routes.HOME),
        progress(2),
        title("УКАЖИТЕ ДАТУ РОЖДЕНИЯ"),
        rx.el.p(
            screen.fits,
            " Чтобы кабинет не открыл посторонний, укажите ещё дату рождения того, на кого он зарегистрирован.",
        ),
        answered_form(
            summary(),
            field(
                "Дата рождения",
                text_input("birth_date", "birth_date", error, type="text", auto_complete="bday", hint=True),
                field_id="birth_date",
                hint="День, месяц и год, например 14.03.1985",
                error=error,
                below=rx.el.p(screen.attempts, class_name="hint"),
            ),
            submit("ДАЛЕЕ"),
            on_submit=RecoveryState.confirm_birth_date,
            action=routes.RECOVERY,
        ),
        rx.el.section(
            rx.el.h2("Дата не подходит?", id="other-proofs"),
            rx.cond(
                screen.other_channel != "",
                rx.fragment(
                    rx.el.p(screen.other_label, " заменит дату рождения, если номер в кабинете подтверждали недавно."),
                    rx.cond(
                        screen.other_ready,
                        other_way(screen, RecoveryState.resend, "button secondary wide"),
                        rx.el.p(screen.other_label, " можно будет запросить в ", rx.el.strong(screen.other_clock), "."),
                    ),
                ),
            ),
            gosuslugi_way("button secondary wide"),
            desk_way(),
            aria_labelledby="other-proofs",
            class_name="stack",
        ),
    )


def refused_step() -> rx.Component:
    """Three dates did not match. This recovery is over, and nothing was changed."""
    return rx.el.div(
        back_and_close(start_again("Назад", "back"), routes.HOME),
        title("Дата рождения не подошла"),
        rx.el.p("Номер: ", rx.el.strong(screen.phone), class_name="phone-line"),
        rx.el.p("Пароль не изменился. Возможно, кабинет зарегистрирован на другой ваш номер."),
        gosuslugi_way("button primary wide"),
        rx.el.button(
            "Указать другой номер",
            type="button",
            on_click=RecoveryState.start_again,
            class_name="button secondary wide",
        ),
        desk_way(),
        class_name="stack",
    )
