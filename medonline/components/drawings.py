"""Two pictures for step 2. They show where a phone displays the code. Each has a text that says what it shows."""

from __future__ import annotations

import reflex as rx

_EXAMPLE_OF_A_CODE = "4321"


def call_drawing() -> rx.Component:
    """An incoming call whose last four digits are marked."""
    return _drawing(
        f"Пример: звонит номер +7 495 120-{_EXAMPLE_OF_A_CODE[:2]}-{_EXAMPLE_OF_A_CODE[2:]}. Код — последние четыре цифры, "
        f"{_EXAMPLE_OF_A_CODE}.",
        rx.el.svg.path(
            d="M24 24h7l4 10-5 3.5a24 24 0 0 0 13 13l3.5-5 10 4v7a6 6 0 0 1-6 6A34 34 0 0 1 18 30a6 6 0 0 1 6-6z"
        ),
        _text("Входящий звонок", 78, 30, 120, "drawing-soft"),
        _text("+7 495 120-", 78, 58, 100),
        rx.el.svg.rect(x=182, y=36, width=66, height=32, rx=8, class_name="drawing-mark"),
        _text("43-21", 190, 58, 50, "drawing-code"),
        _text("код", 203, 84, 25, "drawing-soft"),
        height=94,
    )


def chat_drawing() -> rx.Component:
    """The list of chats with the channel of the codes."""
    return _drawing(
        "Пример: в списке чатов Telegram откройте канал «Коды подтверждения». В последнем сообщении шесть цифр: это код.",
        rx.el.svg.circle(cx=40, cy=42, r=22),
        rx.el.svg.path(d="M52 32 28 41.5l8 3 3 8 4.5-5.5 6 4z"),
        _text("Коды подтверждения", 78, 36, 176),
        rx.el.svg.path(d="M78 55h56", class_name="drawing-line"),
        rx.el.svg.rect(x=144, y=44, width=76, height=26, rx=8, class_name="drawing-mark"),
        _text("123456", 152, 63, 60, "drawing-code"),
        height=84,
    )


def drawing_named(name: rx.Var[str]) -> rx.Component:
    """The drawing of a way of getting a code. `name` comes from a state."""
    return rx.match(name, ("call", call_drawing()), ("chat", chat_drawing()), rx.fragment())


def _text(text: str, x: int, y: int, width: int, class_name: str = "") -> rx.Component:
    """A text with a fixed width, whatever font the device has."""
    fitted = {"textLength": width, "lengthAdjust": "spacingAndGlyphs"}
    return rx.el.svg.text(text, x=x, y=y, class_name=class_name, custom_attrs=fitted)


def _drawing(meaning: str, *parts: rx.Component, height: int) -> rx.Component:
    """A drawing. The stylesheet colours it (`.drawing`), so that it follows every colour scheme."""
    return rx.el.svg(*parts, view_box=f"0 0 270 {height}", class_name="drawing", role="img", aria_label=meaning)
