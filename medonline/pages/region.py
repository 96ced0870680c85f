"""The choice of the region, which comes first if the installation serves several (the guide's part E)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon
from medonline.pages.frame import page
from medonline.state.account import AccountState
from medonline.state.regions import RegionState


def region() -> rx.Component:
    """The regions as plain forms, so that the choice works without a socket."""
    return page(
        rx.el.h1("Выберите регион"),
        rx.el.p(
            "Портал запомнит выбор на этом устройстве.",
            rx.cond(AccountState.several_regions, " Сменить регион можно внизу любой страницы.", ""),
        ),
        rx.el.ul(
            rx.foreach(
                RegionState.regions,
                lambda one: rx.el.li(
                    rx.el.form(
                        rx.el.input(type="hidden", name="region", value=one.code),
                        rx.el.button(one.name, icon("arrow"), type="submit", class_name="choice"),
                        method="post",
                        action=routes.REGION_CHOOSE,
                    )
                ),
            ),
            class_name="choices",
        ),
        name="narrow",
    )
