"""Step 2's lower half: what became of the call or message, and how to get another code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import reflex as rx

from medonline.components.icons import icon
from medonline.state.account import AccountState

Screen: TypeAlias = Any  # a Var of CodeScreen: its fields are Vars
Resend: TypeAlias = Callable[[Any], Any]  # the handler that asks for another code by a way


def code_hint(screen: Screen) -> rx.Component:
    """Where the code is to be found (guide G16, G17)."""
    return rx.cond(
        screen.channel == "telegram",
        rx.el.p("Откройте Telegram и укажите код, который поступил в канал «Коды подтверждения»"),
        rx.el.p(
            "Вам поступит звонок. Отвечать не нужно: последние 4 цифры номера, "
            "с которого позвонили, — это проверочный код."
        ),
    )


def code_facts(screen: Screen) -> rx.Component:
    """Attempts left and the clock time until which the code lives."""
    return rx.cond(
        screen.code_alive,
        rx.el.p(screen.attempts, " Код действует до ", screen.expires_clock, ".", class_name="hint"),
        rx.el.p("Этот код больше не действует: получите новый.", class_name="hint"),
    )


def delivery(screen: Screen, resend: Resend) -> rx.Component:
    """«Звоним…» → «Звонок дошёл», or why not and the other way, one tap away."""
    return rx.el.div(
        rx.el.p(screen.delivery, role="status", class_name="delivery-text"),
        rx.cond(screen.delivery_failed, _fallback(screen, resend)),
        class_name=rx.cond(screen.delivery_failed, "delivery failed", "delivery"),
    )


def _fallback(screen: Screen, resend: Resend) -> rx.Component:
    return rx.cond(
        screen.other_channel == "",
        rx.el.p("Попробуйте ещё раз позже или обратитесь в ", AccountState.desk, " с паспортом."),
        rx.cond(
            screen.other_ready,
            other_way(screen, resend, "button primary wide"),
            rx.el.p("Попробуйте другой способ, когда выйдет пауза."),
        ),
    )


def resend_block(screen: Screen, resend: Resend) -> rx.Component:
    """The countdown, then the buttons. The server says when; the browser only counts."""
    return rx.el.div(
        rx.cond(
            screen.resend_ready,
            rx.el.div(
                rx.el.button(
                    rx.cond(screen.channel == "telegram", "Отправить новый код в Telegram", "Позвонить ещё раз"),
                    type="button",
                    on_click=resend(screen.channel),
                    class_name="button secondary wide",
                ),
                rx.cond(
                    (screen.other_channel != "") & ~screen.delivery_failed,
                    other_way(screen, resend, "button secondary wide"),
                ),
                class_name="stack",
            ),
            rx.el.p(
                "Новый код можно запросить в ",
                rx.el.strong(screen.resend_clock),
                rx.cond(
                    screen.resend_far,
                    rx.el.span(". Раньше можно войти через Госуслуги."),
                    rx.el.span(
                        aria_hidden=True,
                        class_name="countdown",
                        custom_attrs={"data-countdown": screen.resend_seconds, "data-countdown-key": screen.resend_key},
                    ),
                ),
            ),
        ),
        rx.el.p(role="status", class_name="visually-hidden", custom_attrs={"data-countdown-voice": ""}),
        rx.el.details(
            rx.el.summary("Код не приходит?"),
            rx.el.ul(
                rx.el.li("Проверьте, что телефон в сети и режим полёта выключен."),
                rx.el.li("Звонок длится пару секунд: посмотрите пропущенные и список заблокированных."),
                rx.el.li("Код в Telegram приходит в чат «Коды подтверждения», а не в SMS."),
                rx.el.li("Не помогло? Обратитесь в ", AccountState.desk, " с паспортом."),
            ),
            class_name="help",
        ),
        class_name="resend",
    )


def other_way(screen: Screen, resend: Resend, class_name: str) -> rx.Component:
    """The button for the way that was not taken."""
    to_telegram = screen.other_channel == "telegram"
    return rx.el.button(
        rx.cond(to_telegram, icon("message"), icon("phone")),
        rx.cond(to_telegram, "Получить код в Telegram", "Получить код звонком"),
        type="button",
        on_click=resend(screen.other_channel),
        class_name=class_name,
    )
