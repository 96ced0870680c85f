"""Below the e-mail address: whether notices go there; and above the form, the code from the mail."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import error_summary, field, submit, text_input
from medonline.state.account_settings import SettingsState
from medonline.state.email_proof import EmailProofState

state = EmailProofState


def email_note() -> rx.Component:
    """What the address on record is good for. Nothing is said where no mail can be sent."""
    return rx.cond(
        state.offered & (SettingsState.email != ""),
        rx.el.div(
            rx.cond(
                state.proved,
                rx.el.p("Адрес подтверждён: на него приходят уведомления о безопасности.", class_name="hint"),
                rx.cond(~state.waiting, _unproved()),
            ),
            class_name="stack",
        ),
    )


def _unproved() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            rx.cond(
                state.notices_to != "",
                rx.fragment(
                    "Новый адрес не подтверждён. До этого уведомления приходят на прежний: ",
                    rx.el.strong(state.notices_to),
                    ".",
                ),
                "Адрес не подтверждён: уведомления на него не приходят.",
            ),
            class_name="hint",
        ),
        rx.el.button(
            "Подтвердить адрес", type="button", on_click=state.send, class_name="button secondary", id="prove-email"
        ),
        error_summary(rx.cond(state.waiting, "", state.error), state.error_no, ""),
    )


def email_code_panel() -> rx.Component:
    """A code was sent and is awaited."""
    error = state.error
    code = text_input(
        "email-code", "code", error, type="text", input_mode="numeric", auto_complete="one-time-code", max_length=20
    )
    return rx.cond(
        state.offered & state.waiting & (SettingsState.email != ""),
        rx.el.section(
            rx.el.h2("Подтвердите электронную почту", id="prove-email-title", tab_index=-1),
            rx.el.p(
                "Мы отправили письмо с кодом на ",
                rx.el.strong(SettingsState.email),
                ". Код действует час. Если письма нет, посмотрите в папке «Спам».",
            ),
            error_summary(error, state.error_no, "email-code"),
            rx.el.form(
                field("Код из письма", code, field_id="email-code", error=error),
                submit("Подтвердить"),
                on_submit=state.confirm,
                method="post",
                action=routes.SETTINGS,
                no_validate=True,
                class_name="form",
            ),
            rx.el.button("Отправить код ещё раз", type="button", on_click=state.send, class_name="link"),
            rx.cond(
                state.sent_again,
                rx.el.p("Письмо с новым кодом отправлено. Прежний код больше не подойдёт.", role="status"),
            ),
            class_name="panel stack",
            aria_labelledby="prove-email-title",
            custom_attrs={"data-reveal-focus": "prove-email-title"},
        ),
    )
