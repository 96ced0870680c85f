"""The parts of every page: the skip link, the header, the footer, the banner of a lost connection, the screen of a broken page."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.base.error_boundary import ErrorBoundary
from reflex_components_core.core.banner import has_connection_errors

from medonline import routes
from medonline.components.forms import loads_the_page
from medonline.components.icons import icon
from medonline.components.low_vision import low_vision


def page(
    header_end: rx.Component, *children: rx.Component, name: str, below: rx.Component | None = None
) -> rx.Component:
    """A whole page. `name`: the class of its main part. `below`: the region's lines in the footer."""
    return rx.fragment(
        rx.el.noscript(
            rx.el.p(
                "В этом браузере выключены скрипты, а портал без них не работает. Разрешите их для этого сайта в настройках "
                "браузера или откройте портал в другом. Не получается? Обратитесь в свою поликлинику с паспортом.",
                class_name="notice warning",
            )
        ),
        rx.el.header(
            rx.el.a("Перейти к содержанию", href="#main", class_name="skip-link"),
            low_vision(),
            rx.el.div(
                rx.el.a(
                    icon("mark"),
                    rx.el.span("медицина-онлайн", class_name="brand-name"),
                    href=routes.HOME,
                    class_name="brand",
                    aria_label="медицина-онлайн, главная страница",
                    custom_attrs=loads_the_page(),
                ),
                header_end,
                class_name="bar",
            ),
            class_name="site-header",
        ),
        rx.el.main(*children, id="main", class_name=f"main {name}", tab_index=-1),
        footer(below),
    )


def footer(below: rx.Component | None) -> rx.Component:
    """The footer, which says what the portal is and what it is not for."""
    return rx.el.footer(
        rx.el.div(
            rx.el.p("Медицина-онлайн: личный кабинет пациента."),
            rx.el.p(rx.el.a("О доступности", href=routes.ACCESSIBILITY, class_name="link")),
            below,
            rx.el.p(
                "Если нужна срочная помощь, звоните ",
                rx.el.a("103", href="tel:103", class_name="link dial"),
                " или ",
                rx.el.a("112", href="tel:112", class_name="link dial"),
                ".",
            ),
            class_name="bar footer-bar",
        ),
        class_name="site-footer",
    )


def connection_banner() -> rx.Component:
    """The banner that is shown while the connection is lost. What was typed stays."""
    return rx.cond(
        has_connection_errors,
        rx.el.div(
            rx.el.span(class_name="spinner", aria_hidden=True),
            "Связь прервалась. Восстанавливаем, всё введённое сохранится.",
            role="status",
            class_name="connection-banner",
        ),
    )


def error_boundary(*children: rx.Component) -> rx.Component:
    """Shows a message instead of a page that could not be drawn."""
    return ErrorBoundary.create(
        *children,
        fallback_render=rx.el.main(
            rx.el.h1("Страница не открылась"),
            rx.el.p("Обновите страницу. Если не помогло, попробуйте через несколько минут."),
            rx.el.a("На главную", href=routes.HOME, class_name="button primary"),
            class_name="main narrow",
        ),
    )
