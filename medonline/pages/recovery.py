"""The page of the recovery wizard."""

from __future__ import annotations

import reflex as rx

from medonline.components.layout import page
from medonline.dialogs.password_recovery import password_recovery_panel
from medonline.pages.header import account_menu
from medonline.state.account import AccountState


def recovery() -> rx.Component:
    """The wizard on a calm page."""
    return page(
        rx.cond(AccountState.signed_in, account_menu()),
        password_recovery_panel(),
        name="narrow",
    )
