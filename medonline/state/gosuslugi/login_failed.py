"""Why a sign-in through Gosuslugi did not succeed."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import IdentityProblem
from medonline.state.account import AccountState
from medonline.state.input import query_of, said, visitor_of
from medonline.wording.errors import COOKIES_FOR_GOSUSLUGI, IDENTITY, JOURNEY_ALLOWED_AGAIN


class LoginFailedState(rx.State):
    """Why a sign-in through Gosuslugi did not succeed."""

    text: str = ""

    @rx.event
    async def load(self) -> Any:
        """Show the reason that the address names. Only known reasons have a sentence."""
        reason = query_of(self, "reason")
        if reason == "cookies":
            self.text = COOKIES_FOR_GOSUSLUGI
        elif reason == "too_often":
            refused = await portal().identity.refused(visitor_of(self))
            self.text = said(self, refused) if refused is not None else JOURNEY_ALLOWED_AGAIN
        else:
            known = IdentityProblem(reason) if reason in tuple(IdentityProblem) else IdentityProblem.OTHER
            self.text = IDENTITY[known]
        return AccountState.load_page
