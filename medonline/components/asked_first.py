"""A button that asks before it acts: «Убрать» and, in its place, the question with «Да, …» and «Оставить»."""

from __future__ import annotations

import reflex as rx


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
    """`label` opens the question; `spoken` tells a screen reader which of several equal buttons it is.

    Args:
        is_asked: whether the question is open.
        title: names the group of question and answers.
        ask, act, leave: open the question, do it, close the question.
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
        rx.el.button(label, type="button", on_click=ask, class_name="link", aria_label=spoken),
    )
