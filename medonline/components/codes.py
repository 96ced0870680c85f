"""«Способ получения кода» (guide G15): the open ways, from a state with `OffersWays`."""

from __future__ import annotations

from typing import Any, TypeAlias

import reflex as rx

from medonline.components.forms import Text
from medonline.components.icons import icon_named

Offering: TypeAlias = Any  # a state with `OffersWays`: its fields are Vars


def channel_choice(state: Offering, error: Text = "") -> rx.Component:
    """The ways in their order. Above them stands why some ways are missing."""
    off = state.channels_off
    return rx.el.fieldset(
        rx.el.legend("Способ получения кода", class_name="label"),
        rx.cond(error != "", rx.el.p(error, class_name="field-error")),
        # The error of a refusal says it already.
        rx.cond((off != "") & (error == ""), rx.el.p(off, class_name="hint")),
        rx.foreach(state.ways, _way),
        rx.cond(
            state.further_ways.length() > 0,
            rx.el.details(
                rx.el.summary("Другие способы"),
                rx.foreach(state.further_ways, _way),
                class_name="further-ways",
            ),
        ),
        class_name="channels",
        id="channel",
    )


def _way(way: Any) -> rx.Component:
    field_id = f"channel-{way.value}"
    return rx.el.div(
        rx.el.input(
            type="radio",
            id=field_id,
            name="channel",
            value=way.value,
            default_checked=way.checked,
            aria_describedby=f"{field_id}-note",
        ),
        icon_named(way.icon),
        rx.el.div(
            rx.el.label(way.label, html_for=field_id, class_name="channel-label"),
            rx.el.span(way.note, class_name="choice-note", id=f"{field_id}-note"),
        ),
        class_name="channel",
        # React reads `default_checked` only of a new element. This key makes an element new when its `checked` changes.
        key=f"{way.value}-{way.checked}",
    )
