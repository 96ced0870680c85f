"""«ВХОД В ЛИЧНЫЙ КАБИНЕТ»: the tabs ГОСУСЛУГИ and ЛОГИН/ПАРОЛЬ (guide G02-G04)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.dialog import dialog, open_link
from medonline.components.forms import answered_form, error_summary, field, password_input, phone_input, submit
from medonline.components.gosuslugi import gosuslugi_form
from medonline.components.passkeys import passkey_button, passkey_place
from medonline.components.proof import page_mark, ticket_attributes
from medonline.state.account import AccountState
from medonline.state.login import LoginState

LOGIN = "login"
TROUBLE = "login-trouble"


def login_dialog() -> rx.Component:
    """The dialog behind «Войти»."""
    return dialog(
        LOGIN,
        "ВХОД В ЛИЧНЫЙ КАБИНЕТ",
        _reason(),
        rx.el.div(
            _tab("ГОСУСЛУГИ", "gosuslugi", selected=True),
            _tab("ЛОГИН/ПАРОЛЬ", "password", selected=False),
            role="tablist",
            aria_label="Способ входа",
            class_name="tabs",
        ),
        _panel("gosuslugi", _gosuslugi(), hidden=False),
        _panel("password", _password(), hidden=True),
    )


def _reason() -> rx.Component:
    """Why a patient who was signed in must sign in again. The page behind the dialog says it, too."""
    return rx.cond(
        AccountState.asked_again, rx.el.div(rx.el.p(AccountState.notice), draft_waits(), class_name="notice")
    )


def draft_waits() -> rx.Component:
    """The note that an unsent form waits for its patient. `browser/account/drafts.js` shows it."""
    return rx.el.p(
        "То, что вы ввели, сохранилось в этой вкладке на 15 минут: войдите, и оно вернётся на место. Пароли и коды "
        "нужно будет ввести снова.",
        hidden=True,
        custom_attrs={"data-draft-waits": ""},
    )


def _tab(label: str, name: str, *, selected: bool) -> rx.Component:
    return rx.el.button(
        label,
        type="button",
        role="tab",
        id=f"tab-{name}",
        aria_controls=f"panel-{name}",
        aria_selected="true" if selected else "false",
        tab_index=0 if selected else -1,
        class_name="tab",
    )


def _panel(name: str, content: rx.Component, *, hidden: bool) -> rx.Component:
    return rx.el.div(content, role="tabpanel", id=f"panel-{name}", hidden=hidden, class_name="tabpanel")


def _gosuslugi() -> rx.Component:
    return rx.el.div(
        rx.cond(
            AccountState.gosuslugi_on,
            rx.fragment(
                rx.el.p("Войдите на портал Госуслуг. После входа вы вернётесь сюда, в раздел «Мои карты»."),
                gosuslugi_form("Войти через Госуслуги", "login"),
            ),
            rx.el.p(
                "Вход через Госуслуги сейчас отключён. Войдите по номеру телефона и паролю на вкладке «ЛОГИН/ПАРОЛЬ».",
                class_name="notice",
            ),
        ),
        open_link("Не могу войти", TROUBLE),
    )


def _password() -> rx.Component:
    return rx.el.div(
        rx.el.p("Укажите номер телефона и пароль для авторизации в личном кабинете"),
        login_form(),
        rx.el.div(
            open_link("Не могу войти", TROUBLE),
            # Straight to step 1, which also offers the way through Gosuslugi.
            rx.el.a("Забыли пароль?", href=routes.RECOVERY, class_name="link"),
            class_name="links",
        ),
        # Below the links: they must be visible without scrolling, and must not move when this appears.
        passkey_place(passkey_button("sign_in", "Войти по отпечатку, лицу или PIN")),
    )


def login_form() -> rx.Component:
    """Phone and password. `browser/portal/tickets.js` posts the resulting ticket to the route that sets the cookie."""
    phone_error = rx.cond(LoginState.error_field == "phone", LoginState.error, "")
    password_error = rx.cond(LoginState.error_field == "password", LoginState.error, "")
    summary_link = rx.match(LoginState.error_field, ("phone", "login-phone"), ("password", "login-password"), "")
    return answered_form(
        error_summary(LoginState.error, LoginState.error_no, summary_link),
        field(
            "Телефон",
            phone_input("login-phone", phone_error, auto_complete="username webauthn"),
            field_id="login-phone",
            error=phone_error,
        ),
        field(
            "Пароль",
            password_input("login-password", "password", password_error, new=False, noun="пароль"),
            field_id="login-password",
            error=password_error,
        ),
        page_mark(),
        submit("Войти"),
        on_submit=LoginState.log_in,
        action=routes.HOME,
        custom_attrs={"data-remember": "phone", **ticket_attributes(LoginState.ticket, LoginState.ticket_page)},
    )
