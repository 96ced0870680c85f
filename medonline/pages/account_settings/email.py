"""The note below the e-mail address, which says whether notices go there, and the panel for the code from the mail above the form."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import answered_form, error_summary, field, submit, text_input
from medonline.state.account_settings import SettingsState
from medonline.state.email_proof import AGAIN, LATE, NO_MAILBOX, ON_ITS_WAY, SEND, EmailProofState

state = EmailProofState


def email_note() -> rx.Component:
    """What the portal uses the address on record for. Empty if the installation cannot send mail."""
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
        rx.el.button(SEND, type="button", on_click=state.send, class_name="button secondary", id="prove-email"),
        error_summary(rx.cond(state.waiting, "", state.error), state.error_no, ""),
    )


def email_code_panel() -> rx.Component:
    """The panel for a code that was sent by mail."""
    error = state.error
    code = text_input(
        "email-code", "code", error, type="text", input_mode="numeric", auto_complete="one-time-code", max_length=20
    )
    return rx.cond(
        state.offered & state.waiting & (SettingsState.email != ""),
        rx.el.section(
            rx.el.h2("Подтвердите электронную почту", id="prove-email-title", tab_index=-1),
            rx.el.div(_what_became_of_the_mail(), role="status"),
            error_summary(error, state.error_no, "email-code"),
            rx.cond(
                state.mail != NO_MAILBOX,
                answered_form(
                    field("Код из письма", code, field_id="email-code", error=error),
                    submit("Подтвердить"),
                    on_submit=state.confirm,
                    action=routes.SETTINGS,
                ),
            ),
            rx.el.button(AGAIN, type="button", on_click=state.send, class_name="link"),
            rx.cond(
                state.sent_again,
                rx.el.p("Подойдёт только код из последнего письма.", role="status"),
            ),
            class_name="panel stack",
            aria_labelledby="prove-email-title",
            custom_attrs={"data-reveal-focus": "prove-email-title"},
        ),
    )


def _what_became_of_the_mail() -> rx.Component:
    address = rx.el.strong(SettingsState.email)
    return rx.match(
        state.mail,
        (
            NO_MAILBOX,
            rx.el.p(
                "Почтовая служба ответила, что адреса ",
                address,
                " нет. Проверьте его, исправьте в поле «Электронная почта» и нажмите «Сохранить».",
            ),
        ),
        (
            LATE,
            rx.el.p(
                "Письмо с кодом на ",
                address,
                " пока не ушло: почтовая служба его не приняла. Портал отправит его ещё раз сам. Проверьте, верен ли адрес. Ждать "
                "на этой странице не нужно: код можно ввести в течение часа.",
            ),
        ),
        (ON_ITS_WAY, rx.el.p("Отправляем письмо с кодом на ", address, ".")),
        rx.el.p(
            "Мы отправили письмо с кодом на ",
            address,
            ". Код действует час. Если письма нет, посмотрите в папке «Спам».",
        ),
    )
