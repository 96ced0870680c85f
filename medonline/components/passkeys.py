"""Buttons for passkeys. `browser/passkeys.js` handles them. It shows them only where the browser supports passkeys."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes

# The texts that need no server. All others come from the server.
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
    """The frame of a passkey button, with the result of the last press. It is shown only where the browser supports passkeys.

    adds: whether the button adds a passkey. prove: the text for a missing fresh proof, where the page itself cannot ask for one.
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
    """A passkey button. `act`: `sign_in`, `recovery`, `add` or `later`."""
    return rx.el.button(
        *label,
        type="button",
        class_name=class_name,
        custom_attrs={"data-passkey": act, "data-passkey-ticket": routes.SESSION_OPEN},
    )
