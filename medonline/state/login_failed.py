"""Why a sign-in through Gosuslugi did not succeed."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import messages
from medonline.domain.errors import IdentityProblem
from medonline.state.account import AccountState
from medonline.state.asking import query_of


class LoginFailedState(rx.State):
    """Why a sign-in through Gosuslugi did not succeed."""

    text: str = ""

    @rx.event
    async def load(self) -> Any:
        """The address names the reason; only known ones have a sentence."""
        reason = query_of(self, "reason")
        if reason == "cookies":
            self.text = messages.COOKIES_FOR_GOSUSLUGI
        else:
            known = IdentityProblem(reason) if reason in tuple(IdentityProblem) else IdentityProblem.OTHER
            self.text = messages.IDENTITY[known]
        return AccountState.load_page
