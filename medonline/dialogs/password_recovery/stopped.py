"""The phone is proved, but the account's owner has said «это не я». Nobody can recover the account by phone for a while."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import back_and_close
from medonline.dialogs.desk import turn_to_desk
from medonline.dialogs.password_recovery.parts import gosuslugi_way, start_again, title
from medonline.state.account import AccountState
from medonline.state.password_recovery.state import RecoveryState

screen = RecoveryState.screen


def stopped_step() -> rx.Component:
    """Until when this lasts, and the two ways that are left."""
    return rx.el.div(
        back_and_close(start_again("Назад", "back"), routes.HOME),
        title("Восстановление по телефону остановлено"),
        rx.el.p("Номер: ", rx.el.strong(screen.phone), class_name="phone-line"),
        rx.el.p(
            "Нам сообщили, что пароль или номер этого личного кабинета менял посторонний. Чтобы никто чужой не вошёл, "
            "установить пароль по номеру телефона можно будет после ",
            rx.el.strong(screen.stopped_clock),
            ".",
        ),
        rx.cond(
            AccountState.gosuslugi_on,
            rx.el.div(
                rx.el.p("Раньше войти можно через Госуслуги."),
                gosuslugi_way("button primary wide"),
            ),
        ),
        turn_to_desk("Или обратитесь в ", " с паспортом и этим телефоном."),
        class_name="stack",
    )
