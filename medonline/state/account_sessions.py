"""«Мои входы»: where the patient is signed in, and how to end those sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import NotSignedIn
from medonline.domain.login import LoginMethod
from medonline.services.login.account_sessions import SessionView
from medonline.state.account import AccountState
from medonline.state.input import visitor_of
from medonline.wording.errors import plural
from medonline.wording.security_journal import network_words

_METHODS = {
    LoginMethod.PASSWORD: "по телефону и паролю",
    LoginMethod.GOSUSLUGI: "через Госуслуги",
    LoginMethod.PASSKEY: "по отпечатку, лицу или PIN",
}


@dataclass(frozen=True)
class SessionScreen:
    """A session in words."""

    number: str = ""
    mine: bool = False
    device: str = ""
    method: str = ""
    network: str = ""
    begun: str = ""
    seen: str = ""


class SessionsState(rx.State):
    """A cache of the record for the screen, rebuilt by `load`."""

    ready: bool = False
    sessions: list[SessionScreen] = []
    others: int = 0
    notice: str = ""

    @rx.event
    async def load(self) -> Any:
        """Show the live sessions."""
        self.notice, self.ready = "", False
        await self._show()
        return AccountState.require_session

    @rx.event
    async def end(self, number: str) -> Any:
        """End one of the other sessions."""
        if not isinstance(number, str):
            return None
        try:
            await portal().sessions.end(visitor_of(self).session_key, number)
        except NotSignedIn:
            return AccountState.require_session
        self.notice = "Вход на другом устройстве завершён."
        await self._show()
        return None

    @rx.event
    async def end_others(self) -> Any:
        """End all other sessions."""
        try:
            count = await portal().sessions.end_others(visitor_of(self).session_key)
        except NotSignedIn:
            return AccountState.require_session
        where = plural(count, "другом устройстве", "других устройствах", "других устройствах")
        self.notice = f"Вход завершён на {where}." if count else "Других входов нет."
        await self._show()
        return None

    async def _show(self) -> None:
        try:
            views = await portal().sessions.everywhere(visitor_of(self).session_key)
        except NotSignedIn:
            return
        self.sessions = [_screen(view) for view in views]
        self.others = sum(not view.mine for view in views)
        self.ready = True


def _screen(view: SessionView) -> SessionScreen:
    zone = portal().config.zone
    return SessionScreen(
        number=view.number,
        mine=view.mine,
        device=view.device or "Неизвестное устройство",
        method=_METHODS[view.method],
        network=network_words(view.network),
        begun=f"{view.created_at.astimezone(zone):%d.%m.%Y в %H:%M}",
        seen=f"{view.last_seen_at.astimezone(zone):%d.%m.%Y в %H:%M}",
    )
