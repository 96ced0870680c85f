"""«Способ получения кода»: a call or Telegram (guide G15)."""

from __future__ import annotations

import reflex as rx

from medonline.components.forms import Text
from medonline.components.icons import icon


def channel_choice(call: rx.Var[bool], telegram: rx.Var[bool], error: Text = "", off: Text = "") -> rx.Component:
    """The ways that are switched on, the call first. `off`: why another one is not there; empty where none is missing."""
    return rx.el.fieldset(
        rx.el.legend("Способ получения кода", class_name="label"),
        rx.cond(error != "", rx.el.p(error, class_name="field-error")),
        # What was just refused says it already.
        rx.cond((off != "") & (error == ""), rx.el.p(off, class_name="hint")),
        rx.cond(
            call,
            rx.fragment(_call(), rx.cond(telegram, _telegram(checked=False))),
            _telegram(checked=True),
        ),
        class_name="channels",
        id="channel",
    )


def _call() -> rx.Component:
    note = "Код — последние 4 цифры номера, с которого позвонят"
    return _channel("flash_call", "Проверочный звонок", note, "phone", checked=True)


def _telegram(*, checked: bool) -> rx.Component:
    note = "Код придёт в канал «Коды подтверждения»"
    return _channel("telegram", "Код в Telegram", note, "message", checked=checked)


def _channel(value: str, label: str, note: str, drawing: str, *, checked: bool) -> rx.Component:
    field_id = f"channel-{value}"
    return rx.el.div(
        rx.el.input(
            type="radio",
            id=field_id,
            name="channel",
            value=value,
            default_checked=checked,
            aria_describedby=f"{field_id}-note",
        ),
        icon(drawing),
        rx.el.div(
            rx.el.label(label, html_for=field_id, class_name="channel-label"),
            rx.el.span(note, class_name="choice-note", id=f"{field_id}-note"),
        ),
        class_name="channel",
    )
