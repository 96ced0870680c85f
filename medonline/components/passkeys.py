"""Buttons for passkeys. `browser/passkeys.js` shows them where the browser can, and acts; where it cannot, they are not there."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes

# What is said without the server: the rest comes from it, in its words.
_WORDS = {
    "data-asking": "Подтвердите, что это вы: приложите палец, покажите лицо или введите PIN.",
    "data-cancelled": (
        "Вы отменили, или время вышло. Нажмите ещё раз или выберите другой способ. Если такой вход вы ещё не добавляли, сначала "
        "войдите иначе."
    ),
    "data-none": "На этом устройстве так войти не получилось. Выберите другой способ.",
    "data-have": "На этом устройстве такой вход уже добавлен. Добавлять его ещё раз не нужно.",
    "data-offline": "Не получилось: нет связи с порталом. Проверьте интернет и нажмите ещё раз.",
}
_WORDS_OF_ADDING = _WORDS | {
    "data-cancelled": "Вы отменили, или время вышло. Ничего не добавлено. Нажмите ещё раз, когда будете готовы.",
    "data-none": (
        "Добавить не получилось. Проверьте, что на устройстве включена блокировка экрана: PIN, отпечаток или лицо, и нажмите ещё "
        "раз. Прежние способы входа работают."
    ),
    "data-added": "Готово: теперь на этом устройстве можно входить по отпечатку, лицу или PIN.",
}


def passkey_place(*children: rx.Component, adds: bool = False, prove: str = "", **props: Any) -> rx.Component:
    """Around a button for passkeys: shown where the browser can, with what came of the last press.

    adds: the button adds one. prove: what is said where a fresh proof is missing and the page itself cannot ask for it.
    """
    words = (_WORDS_OF_ADDING if adds else _WORDS) | ({"data-prove": prove} if prove else {})
    attributes = {"data-passkey-place": "", **props.pop("custom_attrs", {})}
    class_name = f"passkey-place {props.pop('class_name', '')}".strip()
    return rx.el.div(
        *children,
        rx.el.p(role="status", class_name="hint", custom_attrs=words),
        class_name=class_name,
        custom_attrs=attributes,
        **props,
    )


def passkey_button(act: str, *label: str | rx.Component, class_name: str = "button secondary wide") -> rx.Component:
    """`act`: `sign_in`, `recovery`, `add` or `later`."""
    return rx.el.button(
        *label,
        type="button",
        class_name=class_name,
        custom_attrs={"data-passkey": act, "data-passkey-ticket": routes.SESSION_OPEN},
    )
