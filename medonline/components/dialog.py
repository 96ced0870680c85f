"""A native modal dialog. `browser/early/dialogs.js` opens and closes it, before and after the app is connected. Where no script runs,
the browser itself does (`commandfor`)."""

from __future__ import annotations

from typing import Any

import reflex as rx


def dialog(dialog_id: str, title: str, *children: rx.Component, back: str = "") -> rx.Component:
    """A dialog. `title`: its heading and, while it is open, its name. `back`: the id of the dialog that «Назад» opens."""
    return rx.el.dialog(
        rx.el.div(
            rx.el.div(
                open_button("Назад", back, class_name="back") if back else None,
                rx.el.button(
                    "×",
                    type="button",
                    class_name="close",
                    aria_label="Закрыть",
                    custom_attrs={"data-dialog-close": "", "command": "close", "commandfor": dialog_id},
                ),
                class_name="panel-top",
            ),
            rx.el.h2(title, id=f"{dialog_id}-title", class_name="dialog-title", tab_index=-1),
            *children,
            class_name="panel",
        ),
        id=dialog_id,
        class_name="dialog",
    )


def open_button(label: str | rx.Component, dialog_id: str, *more: rx.Component, **props: Any) -> rx.Component:
    """A button that opens a dialog and closes the open one."""
    return rx.el.button(
        label,
        *more,
        type="button",
        aria_haspopup="dialog",
        custom_attrs={"data-dialog-open": dialog_id, "command": "show-modal", "commandfor": dialog_id},
        **props,
    )


def open_link(label: str, dialog_id: str) -> rx.Component:
    """The same button, with the look of a link."""
    return rx.el.a(label, href=f"#{dialog_id}", class_name="link", custom_attrs={"data-dialog-open": dialog_id})
