"""The page of the recovery wizard."""

from __future__ import annotations

import reflex as rx

from medonline.dialogs.password_recovery.steps import password_recovery_panel
from medonline.pages.frame import page


def recovery() -> rx.Component:
    """The wizard on a calm page."""
    return page(
        password_recovery_panel(),
        name="narrow",
    )
