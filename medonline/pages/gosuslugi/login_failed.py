"""Why a sign-in through Gosuslugi did not succeed, and what to do."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.gosuslugi import gosuslugi_form, leave_gosuslugi_form
from medonline.pages.frame import page
from medonline.state.account import AccountState
from medonline.state.gosuslugi.login_failed import LoginFailedState


def login_failed() -> rx.Component:
    """The reason, a button for another try, and the other ways."""
    return page(
        rx.el.h1("Войти через Госуслуги не получилось"),
        rx.el.p(LoginFailedState.text, class_name="lead", role="alert"),
        rx.cond(
            AccountState.gosuslugi_on,
            rx.fragment(
                gosuslugi_form("Попробовать ещё раз", "login"),
                leave_gosuslugi_form("Выйти из Госуслуг, чтобы вошёл другой человек"),
            ),
        ),
        rx.el.a("Войти по телефону и паролю", href=f"{routes.HOME}#tab-password", class_name="button secondary wide"),
        rx.el.a("Восстановить пароль по телефону", href=routes.RECOVERY, class_name="link"),
        name="narrow stack",
    )
