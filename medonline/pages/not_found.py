"""The page for an address that does not exist."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.pages.frame import page


def not_found() -> rx.Component:
    """Says that there is no such page, and links back."""
    return page(
        rx.el.h1("Такой страницы нет"),
        rx.el.p("Проверьте адрес или начните с главной страницы."),
        rx.el.a("На главную", href=routes.HOME, class_name="button primary"),
        name="narrow",
    )
