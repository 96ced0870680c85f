"""Above the settings: the code to a new phone, and the proof of identity."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import answered_form, error_summary, field, password_input, submit
from medonline.components.gosuslugi import gosuslugi_form
from medonline.dialogs.codes import code_entry, code_form, code_hint, delivery, resend_block
from medonline.dialogs.desk import turn_to_desk
from medonline.state.account import AccountState
from medonline.state.account_settings import SettingsState
from medonline.state.reauthentication import ReauthenticationState

state = SettingsState


def new_phone_panel() -> rx.Component:
    """The panel for the code to the new number. Before the code is right, nothing of the change is saved."""
    error = state.code_error
    return rx.el.section(
        rx.el.h2("Подтвердите новый номер", id="new-phone-title", tab_index=-1),
        rx.el.p(
            "Номер: ",
            rx.el.strong(state.phone, class_name="phone"),
            ". Изменения сохранятся, когда вы введёте код. До этого действует старый номер.",
        ),
        code_hint(state.code),
        error_summary(error, state.code_error_no, rx.cond(state.code.code_alive, "new-phone-code", "")),
        delivery(state.code, state.resend),
        code_entry(
            state.code,
            error,
            code_form(state.code, error, state.confirm_phone, routes.SETTINGS, field_id="new-phone-code"),
        ),
        resend_block(state.code, state.resend),
        rx.el.button("Оставить старый номер", type="button", on_click=state.cancel_phone, class_name="link"),
        class_name="panel wizard",
        aria_labelledby="new-phone-title",
        custom_attrs={"data-reveal-focus": "new-phone-title"},
    )


def prove_again_panel() -> rx.Component:
    """The panel for the current password. Phone, password, names and Gosuslugi can change only soon after a sign-in. What was typed below
    stays."""
    error = ReauthenticationState.error
    return rx.el.section(
        rx.el.h2("Подтвердите, что это вы", id="prove-again-title", tab_index=-1),
        rx.el.p("Прошло много времени с тех пор, как вы вошли. Всё введённое останется на месте."),
        rx.cond(
            state.has_password,
            answered_form(
                error_summary(error, ReauthenticationState.error_no, "current-password"),
                field(
                    "Текущий пароль",
                    password_input("current-password", "current_password", error, new=False, noun="текущий пароль"),
                    field_id="current-password",
                    error=error,
                ),
                submit("Подтвердить"),
                on_submit=state.prove,
                action=routes.SETTINGS,
            ),
        ),
        rx.cond(
            AccountState.gosuslugi_on,
            rx.fragment(
                rx.el.p("После входа через Госуслуги новый пароль нужно будет ввести снова.", class_name="hint"),
                gosuslugi_form("Войти ещё раз через Госуслуги", "settings", class_name="button secondary wide"),
            ),
            rx.cond(
                state.has_password,
                None,
                turn_to_desk("Пароля в кабинете нет, а вход через Госуслуги отключён. Обратитесь в ", " с паспортом."),
            ),
        ),
        class_name="panel stack",
        aria_labelledby="prove-again-title",
        custom_attrs={"data-reveal-focus": "prove-again-title"},
    )
