"""The portal's icons. All are decorative, and hidden from screen readers."""

from __future__ import annotations

import reflex as rx

_PATHS = {
    "mark": "M12 3v18M3 12h18",
    "phone": "M6 3h3l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z",
    "phone-out": "M6 3h3l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3zM14 10l7-7M16 3h5v5",
    "envelope": "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
    "chat": "M12 4c5 0 9 3.4 9 7.5S17 19 12 19c-1.2 0-2.3-.2-3.3-.5L4 20l1.3-3.4A7 7 0 0 1 3 11.5C3 7.4 7 4 12 4z",
    "message": "M21 4 3 11l6 2 2 6 3-4 5 4z",
    "state": "M3 9l9-5 9 5zM5.5 12v5M10 12v5M14 12v5M18.5 12v5M3 20h18",
    "key": "M8 18a5 5 0 1 1 4.6-7H21v4h-3v3h-4v-3h-1.4A5 5 0 0 1 8 18zM8 13h.01",
    "alert": "M12 4 2.5 20h19zM12 10v4M12 17h.01",
    "calendar": "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
    "card": "M3 6h18v12H3zM3 10h18M7 14h4",
    "check": "M5 12l5 5 9-10",
    "user": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6",
    "arrow": "M9 5l7 7-7 7",
    "eye": "M2 12c3-5 6-7 10-7s7 2 10 7c-3 5-6 7-10 7s-7-2-10-7zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
}
_OF_WAYS = ("phone", "message", "envelope", "chat", "phone-out")


def icon(name: str) -> rx.Component:
    """A line drawing of 24×24 units in the colour of the text."""
    return rx.el.svg(
        rx.el.svg.path(d=_PATHS[name]),
        view_box="0 0 24 24",
        class_name=f"icon icon-{name}",
        aria_hidden=True,
        custom_attrs={"focusable": "false"},
    )


def icon_named(name: rx.Var[str]) -> rx.Component:
    """The icon of a way of getting a code. `name` comes from a state."""
    return rx.match(name, *((one, icon(one)) for one in _OF_WAYS), rx.fragment())
