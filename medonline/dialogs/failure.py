"""The bar at the foot of the page after an unexpected error."""

from __future__ import annotations

import reflex as rx

from medonline.state.failures import FailureState


def failure_bar() -> rx.Component:
    """A sentence, the number that the log has too, and a button to close the bar."""
    return rx.cond(
        FailureState.text != "",
        rx.el.div(
            rx.el.span(FailureState.text),
            rx.el.button(
                "×", type="button", on_click=FailureState.dismiss, aria_label="Закрыть сообщение", class_name="close"
            ),
            role="alert",
            class_name="failure",
        ),
    )
