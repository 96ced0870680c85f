"""Buttons for passkeys. `browser/passkeys.js` shows them where the browser can, and acts; where it cannot, they are not there."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes

# What is said without the server: the rest comes from it, in its words.
_WORDS = {
    "data-asking": "Подтвердите, что это вы: приложите палец, покажите лицо или введите PIN.",
    "data-cancelled": "Вы отменили, или время вышло. Нажмите ещё раз или выберите другой способ.",
    "data-none": "На этом устройстве так войти не получилось. Выберите другой способ.",
    "data-have": "На этом устройстве такой вход уже добавлен. Добавлять его ещё раз не нужно.",
    "data-offline": "Не получилось: нет связи с порталом. Проверьте интернет и нажмите ещё раз.",
    "data-added": "Готово: теперь на этом устройстве можно входить по отпечатку, лицу или PIN.",
}


def passkey_place(*children: rx.Component, **props: Any) -> rx.Component:
    """Around a button for passkeys: shown where the browser can, with what came of the last press."""
    attributes = {"data-passkey-place": "", **props.pop("custom_attrs", {})}
    class_name = f"passkey-place {props.pop('class_name', '')}".strip()
    return rx.el.div(
        *children,
        rx.el.p(role="status", class_name="hint", custom_attrs=_WORDS),
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
