"""Elements that the server fills in when it sends a page (`web.first_frame`), so that they do not change before the patient's eyes.

Each is in the built page at all times, shown or hidden: the server sets attributes and texts, it draws nothing.
"""

from __future__ import annotations

from typing import Any

import reflex as rx


def known_text(name: str, value: rx.Var[str]) -> rx.Component:
    """A text that `web.first_frame.Known.texts` has under this name."""
    # Danger: where React has an empty text, the text that the server filled in would be one node too many.
    return rx.el.span(rx.cond(value != "", value, "\u00a0"), custom_attrs=_filled_in({"data-known": name}))


def known_link(text: str | rx.Var[str] | rx.Component, name: str, address: rx.Var[str], **props: Any) -> rx.Component:
    """A link whose address `Known.texts` has under this name."""
    return rx.el.a(text, href=address, custom_attrs=_filled_in({"data-known-href": name}), **props)


def shown_if(name: str, condition: rx.Var[bool]) -> dict[str, Any]:
    """Properties of an element that is hidden unless `condition`, which `Known.shown` has under this name."""
    return {"hidden": ~condition, "custom_attrs": {"data-shown-if": name}}


def _filled_in(marks: dict[str, str]) -> dict[str, Any]:
    # React takes a text that differs from its own for a broken page, and draws all of it again, unless it is told.
    return {**marks, "suppressHydrationWarning": True}
