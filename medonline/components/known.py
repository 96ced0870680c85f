"""Elements that the server fills in when it sends a page (`web.first_frame`), so that they do not change before the patient's eyes.

Each element is always in the built page, shown or hidden. The server only sets attributes and texts, and adds no elements.
"""

from __future__ import annotations

from typing import Any

import reflex as rx


def known_text(name: str, value: rx.Var[str]) -> rx.Component:
    """A text. The server finds it by this name in `web.first_frame.Known.texts`."""
    # Danger: where React has an empty text, the text from the server would be one node too many.
    return rx.el.span(rx.cond(value != "", value, "\u00a0"), custom_attrs=_filled_in({"data-known": name}))


def known_link(text: str | rx.Var[str] | rx.Component, name: str, address: rx.Var[str], **props: Any) -> rx.Component:
    """A link. The server finds its address by this name in `Known.texts`."""
    return rx.el.a(text, href=address, custom_attrs=_filled_in({"data-known-href": name}), **props)


def shown_if(name: str, condition: rx.Var[bool]) -> dict[str, Any]:
    """Properties of an element that is hidden unless `condition` holds. The server finds the condition by this name in `Known.shown`."""
    return {"hidden": ~condition, "custom_attrs": {"data-shown-if": name}}


def _filled_in(marks: dict[str, str]) -> dict[str, Any]:
    # If a text differs from React's own, React takes the page for broken and draws all of it again. This property prevents that.
    return {**marks, "suppressHydrationWarning": True}
