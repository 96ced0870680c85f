"""Who is signed in, for the header, the start page and «Мои карты»."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.bootstrap import portal
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.login import SignedIn
from medonline.state.asking import visitor_of


class AccountState(rx.State):
    """A cache of the session for the screen; every handler asks the record again."""

    signed_in: bool = False
    full_name: str = ""
    greeting: str = ""
    unfinished_recovery: bool = False
    cards_ready: bool = False

    @rx.event
    async def load_home(self) -> None:
        """The start page: the header, and whether a recovery waits to be finished."""
        await self._show_session()
        view = await portal().recovery.current(visitor_of(self).visitor_key)
        self.unfinished_recovery = view is not None and view.step in (RecoveryStep.CODE, RecoveryStep.NEW_PASSWORD)

    @rx.event
    async def load_cards(self) -> rx.event.EventSpec | None:
        """«Мои карты»: for a signed-in patient only."""
        signed_in = await self._show_session()
        self.cards_ready = signed_in is not None
        return None if signed_in else rx.redirect(f"{routes.HOME}?login=again", replace=True)

    @rx.event
    async def load_page(self) -> None:
        """Any other page: the header."""
        await self._show_session()

    async def _show_session(self) -> SignedIn | None:
        session_key = visitor_of(self).session_key
        signed_in = await portal().login.who(session_key) if session_key else None
        self.signed_in = signed_in is not None
        self.full_name = signed_in.full_name if signed_in else ""
        self.greeting = " ".join(filter(None, (signed_in.first_name, signed_in.patronymic))) if signed_in else ""
        return signed_in
