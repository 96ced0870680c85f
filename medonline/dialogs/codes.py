"""The lower half of step 2: the delivery of the call or message, and how to get another code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import reflex as rx

from medonline.components.drawings import drawing_named
from medonline.components.forms import answered_form, field, submit, text_input
from medonline.components.icons import icon, icon_named
from medonline.dialogs.desk import turn_to_desk

Screen: TypeAlias = Any  # a Var of CodeScreen: its fields are Vars
Resend: TypeAlias = Callable[[Any], Any]  # the handler that asks for another code by a way


def code_hint(screen: Screen) -> rx.Component:
    """Where the patient finds the code (guide G16, G17)."""
    return rx.cond(
        screen.code_alive,
        rx.fragment(
            rx.el.p(screen.where),
            rx.cond(screen.where_note != "", rx.el.p(screen.where_note, class_name="hint")),
            drawing_named(screen.drawing),
            rx.cond(screen.chat_link != "", chat_start(screen)),
        ),
    )


def chat_start(screen: Screen) -> rx.Component:
    """The way into the chat. On a phone, the link opens the app. On another screen, the phone's camera reads the QR code."""
    return rx.el.div(
        rx.el.a(
            "Открыть чат",
            href=screen.chat_link,
            target="_blank",
            rel="noopener noreferrer",
            class_name="button primary wide",
        ),
        rx.el.p("Ссылка действует 5 минут и открывается один раз.", class_name="hint"),
        _beside_phone("Или наведите на этот QR-код камеру телефона.", screen.chat_qr, "QR-код со ссылкой на чат"),
        class_name="chat-start",
    )


def _beside_phone(hint: str, picture: rx.Var[str], alt: str) -> rx.Component:
    """A QR code for a phone's camera. A phone does not show it, because a phone cannot scan its own screen."""
    return rx.el.div(
        rx.el.p(hint, class_name="hint"),
        rx.el.img(src=picture, alt=alt, class_name="chat-qr"),
        class_name="chat-start beside-phone",
    )


def call_block(screen: Screen, error: rx.Var[str], check: Any) -> rx.Component:
    """The number to call, until when, and what to do after the call; or why the portal no longer waits for it. `check`: the handler that
    looks whether the call has come."""
    return rx.cond(
        screen.code_alive,
        rx.cond(screen.call_link != "", _number_to_call(screen, check)),
        rx.cond((screen.code_over != "") & (error == ""), rx.el.p(screen.code_over, role="status")),
    )


def _number_to_call(screen: Screen, check: Any) -> rx.Component:
    return rx.el.div(
        rx.el.a(screen.call_number, href=screen.call_link, class_name="call-number"),
        rx.cond(screen.call_free, rx.el.p("Звонок на номер 8-800 бесплатный.", class_name="hint")),
        rx.el.p(
            "Позвоните до ",
            rx.el.strong(screen.expires_clock),
            rx.el.span(
                aria_hidden=True,
                class_name="countdown",
                custom_attrs={
                    "data-countdown": screen.call_seconds,
                    "data-countdown-key": screen.call_key,
                    "data-countdown-before": "осталось",
                    "data-countdown-begun": "Идёт отсчёт времени для звонка.",
                    "data-countdown-over": "Время для звонка вышло.",
                },
            ),
        ),
        _beside_phone(
            "Если портал открыт не на телефоне, наведите камеру телефона на этот QR-код.",
            screen.call_qr,
            "QR-код с номером, на который позвонить",
        ),
        rx.el.button("Проверить звонок", type="button", on_click=check, class_name="button primary wide", id="code"),
        _pause(),
        class_name="call",
    )


def code_form(
    screen: Screen,
    error: rx.Var[str],
    on_submit: Any,
    action: str,
    *above_submit: rx.Component,
    field_id: str = "code",
    **props: Any,
) -> rx.Component:
    """The code field and «ОТПРАВИТЬ», for every flow with a code. `action`: the page's own path."""
    return answered_form(
        field(
            "Проверочный код",
            text_input(field_id, "code", error, input_mode="numeric", auto_complete="one-time-code", type="text"),
            field_id=field_id,
            error=error,
            below=_code_facts(screen, error),
        ),
        *above_submit,
        submit("ОТПРАВИТЬ"),
        on_submit=on_submit,
        action=action,
        **props,
    )


def code_entry(
    screen: Screen, error: rx.Var[str], form: rx.Component, *, stays: bool | rx.Var[bool] = False
) -> rx.Component:
    """The form while the code can still be accepted, or always if it `stays`. Otherwise the reason, unless the error above gives it."""
    return rx.cond(
        screen.code_alive | stays,
        form,
        rx.cond((screen.code_over != "") & (error == ""), rx.el.p(screen.code_over, role="status")),
    )


def _code_facts(screen: Screen, error: rx.Var[str]) -> rx.Component:
    """The clock time at which the code expires, and the attempts left, unless the error above says them."""
    return rx.el.p(
        rx.cond(error.to(str).contains(screen.attempts), "", screen.attempts + " "),
        "Код действует до ",
        screen.expires_clock,
        ".",
        class_name="hint",
        custom_attrs={"data-web-otp": rx.cond(screen.fills_itself_in, "on", "")},
    )


def delivery(screen: Screen, resend: Resend) -> rx.Component:
    """«Звоним…», then «Звонок дошёл»; or why it did not arrive, with a button for the other way."""
    return rx.cond(
        screen.delivery != "",
        rx.el.div(
            rx.el.p(
                rx.cond(screen.delivery_failed, icon("alert")),
                screen.delivery,
                role="status",
                class_name="delivery-text",
                custom_attrs={"data-moving": ""},
            ),
            rx.cond(
                screen.delivery_failed & screen.other_ready & (screen.other_channel != ""),
                other_way(screen, resend, "button primary wide"),
            ),
            class_name=rx.cond(screen.delivery_failed, "delivery failed", "delivery"),
        ),
    )


def resend_block(screen: Screen, resend: Resend) -> rx.Component:
    """The other way if it is open, then the countdown and another code by the same way. The server decides when. The browser only
    counts."""
    return rx.el.div(
        rx.cond(
            screen.other_ready & (screen.other_channel != "") & ~screen.delivery_failed,
            other_way(screen, resend, "button secondary wide"),
        ),
        rx.cond(
            screen.way_open | (screen.other_channel != ""),
            _another_code(screen, resend),
            rx.el.p("Сейчас коды не отправляются."),
        ),
        rx.cond(~screen.resend_ready & ~screen.resend_far & ~screen.patient_calls, _pause()),
        rx.el.p(role="status", class_name="visually-hidden", custom_attrs={"data-countdown-voice": ""}),
        rx.el.details(
            rx.el.summary(screen.trouble),
            rx.el.ul(
                rx.el.li("Проверьте, что телефон в сети и режим полёта выключен."),
                rx.el.li(screen.not_coming),
            ),
            class_name="help",
        ),
        turn_to_desk("Не помогло? Обратитесь в ", " с паспортом."),
        class_name="resend",
    )


def _another_code(screen: Screen, resend: Resend) -> rx.Component:
    return rx.cond(
        screen.resend_ready,
        rx.cond(
            screen.way_open,
            rx.el.button(
                screen.again,
                type="button",
                on_click=resend(screen.channel),
                class_name="button secondary wide",
                custom_attrs={"data-resend": ""},
            ),
        ),
        rx.el.p(
            screen.resend_at,
            rx.el.strong(screen.resend_clock),
            rx.cond(
                screen.resend_far | screen.patient_calls,
                ".",
                rx.el.span(
                    aria_hidden=True,
                    class_name="countdown",
                    custom_attrs={"data-countdown": screen.resend_seconds, "data-countdown-key": screen.resend_key},
                ),
            ),
        ),
    )


def _pause() -> rx.Component:
    """The button that stops the countdown and the delivery text (`browser/portal/pauses.js`). Only the low-vision version has it."""
    return rx.el.button(
        rx.el.span("Остановить отсчёт", class_name="when-running"),
        rx.el.span("Продолжить", class_name="when-stopped"),
        type="button",
        class_name="button secondary wide vision-only",
        custom_attrs={"data-pause": "running"},
    )


def no_codes(off: rx.Var[str]) -> rx.Component:
    """The text instead of the choice if no way is open. `off`: the reason; may be empty."""
    return rx.fragment(
        rx.cond(off != "", rx.el.p(off, class_name="hint")),
        turn_to_desk("Сейчас коды не отправляются. Обратитесь в ", " с паспортом."),
    )


def other_way(screen: Screen, resend: Resend, class_name: str) -> rx.Component:
    """The button for the best of the other ways."""
    return rx.el.button(
        icon_named(screen.other_icon),
        screen.other_get,
        type="button",
        on_click=resend(screen.other_channel),
        class_name=class_name,
    )
