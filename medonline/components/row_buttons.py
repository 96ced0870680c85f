"""Buttons in each row of a list: one that acts at once, and one that first asks, with «Да, …» and «Оставить»."""

from __future__ import annotations

import reflex as rx


def row_button(
    label: str, spoken: rx.Var, act: rx.event.EventSpec, *, class_name: str = "button secondary"
) -> rx.Component:
    """A button that acts at once. `spoken` tells a screen reader which of several equal buttons it is."""
    return rx.el.button(label, type="button", on_click=act, class_name=class_name, aria_label=spoken)


def asked_first(
    is_asked: rx.Var,
    *,
    label: str,
    spoken: rx.Var,
    ask: rx.event.EventSpec,
    title: str,
    question: rx.Component,
    yes: str,
    act: rx.event.EventSpec,
    leave: rx.event.EventSpec,
) -> rx.Component:
    """A button that first asks. `label`: the text of the button that opens the question. `spoken`: as for `row_button`.

    Args:
        is_asked: whether the question is open.
        title: the name of the group of question and answers.
        ask, act, leave: the events that open the question, do the action, and close the question.
    """
    return rx.cond(
        is_asked,
        rx.el.div(
            question,
            rx.el.button(yes, type="button", on_click=act, class_name="button secondary"),
            rx.el.button("Оставить", type="button", on_click=leave, class_name="button secondary"),
            class_name="card-question",
            role="group",
            aria_label=title,
        ),
        row_button(label, spoken, ask, class_name="link"),
    )
