"""Step 2's lower half: what became of the call or message, and how to get another code."""

from __future__ import annotations

import reflex as rx

from medonline.components.icons import icon
from medonline.state.recovery import RecoveryState

screen = RecoveryState.screen


def delivery() -> rx.Component:
    """«Звоним…» → «Звонок дошёл», or why not and the other way, one tap away."""
    return rx.el.div(
        rx.el.p(screen.delivery, role="status", class_name="delivery-text"),
        rx.cond(screen.delivery_failed, _fallback()),
        class_name=rx.cond(screen.delivery_failed, "delivery failed", "delivery"),
    )


def _fallback() -> rx.Component:
    return rx.cond(
        screen.other_channel == "",
        rx.el.p("Попробуйте ещё раз позже или обратитесь в регистратуру поликлиники с паспортом."),
        rx.cond(
            screen.other_ready,
            _other_way("button primary wide"),
            rx.el.p("Попробуйте другой способ, когда выйдет пауза."),
        ),
    )


def resend_block() -> rx.Component:
    """The countdown, then the buttons. The server says when; the browser only counts."""
    return rx.el.div(
        rx.cond(
            screen.resend_ready,
            rx.el.div(
                rx.el.button(
                    rx.cond(screen.channel == "telegram", "Отправить новый код в Telegram", "Позвонить ещё раз"),
                    type="button",
                    on_click=RecoveryState.resend(screen.channel),
                    class_name="button secondary wide",
                ),
                rx.cond((screen.other_channel != "") & ~screen.delivery_failed, _other_way("button secondary wide")),
                class_name="stack",
            ),
            rx.el.p(
                "Новый код можно запросить в ",
                rx.el.strong(screen.resend_clock),
                rx.el.span(
                    aria_hidden=True,
                    class_name="countdown",
                    custom_attrs={"data-countdown": screen.resend_seconds, "data-countdown-key": screen.resend_key},
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
                rx.el.li("Не помогло? Обратитесь в регистратуру своей поликлиники с паспортом."),
            ),
            class_name="help",
        ),
        class_name="resend",
    )


def _other_way(class_name: str) -> rx.Component:
    to_telegram = screen.other_channel == "telegram"
    return rx.el.button(
        rx.cond(to_telegram, icon("message"), icon("phone")),
        rx.cond(to_telegram, "Получить код в Telegram", "Получить код звонком"),
        type="button",
        on_click=RecoveryState.resend(screen.other_channel),
        class_name=class_name,
    )
