"""«Версия для слабовидящих»: a button in the header of every page, and the panel that replaces it.

Each button submits a plain form, so it works without scripts. `browser/portal/low_vision.js` avoids the reload of the page.
"""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon

# The name and the label of each setting, and the value and label of each button (domain.low_vision has the values).
PANEL = (
    ("size", "Размер текста", (("100", "100 %"), ("150", "150 %"), ("200", "200 %"))),
    ("scheme", "Цвета", (("black", "Чёрным по белому"), ("white", "Белым по чёрному"), ("blue", "Синим по голубому"))),
    ("spacing", "Между буквами", (("normal", "Обычно"), ("wide", "Широко"), ("widest", "Очень широко"))),
    ("images", "Изображения", (("on", "Показывать"), ("off", "Не показывать"))),
)


def low_vision() -> rx.Component:
    """The button and the panel. They come first in the header."""
    return rx.el.div(
        _form(_button("version", "low", "Версия для слабовидящих", icon("eye")), class_name="vision-off"),
        rx.el.div(
            rx.el.details(
                rx.el.summary("Настройки вида"),
                _form(*(_choice(*choice) for choice in PANEL), class_name="vision-choices"),
                id="vision-panel",
                class_name="vision-panel",
            ),
            _form(_button("version", "ordinary", "Обычная версия")),
            class_name="vision-only vision-bar",
        ),
        rx.el.p(role="status", id="vision-status", class_name="vision-status"),
        class_name="vision bar",
    )


def _form(*children: rx.Component, class_name: str = "") -> rx.Component:
    return rx.el.form(*children, method="post", action=routes.LOW_VISION, class_name=f"plain-form {class_name}".strip())


def _choice(name: str, label: str, words: tuple[tuple[str, str], ...]) -> rx.Component:
    return rx.el.div(
        rx.el.span(label, id=f"vision-{name}", class_name="label"),
        *(_button(name, word, text, aria_pressed="false") for word, text in words),
        role="group",
        aria_labelledby=f"vision-{name}",
        class_name="vision-choice",
    )


def _button(name: str, word: str, label: str, *before: rx.Component, **props: str) -> rx.Component:
    return rx.el.button(
        *before,
        label,
        type="submit",
        name=name,
        value=word,
        class_name=f"vision-button vision-{name}-{word}",
        custom_attrs={"data-vision": ""},
        **props,
    )
