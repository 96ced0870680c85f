"""Sign-in by fingerprint, face or PIN in the settings. Each handler guards itself, calls the service and shows the result.

The browser and two routes (`web.routes.passkeys`) add a passkey. This state only shows the list again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import MedonlineError, NotSignedIn, ReauthenticationNeeded
from medonline.services.passkeys.own_passkeys import PasskeyView
from medonline.state.account import sign_in_again
from medonline.state.input import said, text_field, visitor_of
from medonline.state.reauthentication import ask_proof
from medonline.wording.passkeys import what_was_removed

MAX_NUMBER = 64
ADD, REMOVE = "Добавить вход на этом устройстве", "Убрать"


@dataclass(frozen=True)
class PasskeyScreen:
    """A passkey in words."""

    number: str = ""
    name: str = ""
    added: str = ""
    used: str = ""
    in_cloud: bool = False


class PasskeysState(rx.State):
    """A cache of the record for the screen, rebuilt by `load`."""

    on: bool = False
    passkeys: list[PasskeyScreen] = []
    removing: str = ""
    said: str = ""
    error: str = ""
    error_no: int = 0

    @rx.event
    async def load(self) -> Any:
        """Rebuild the list from the record."""
        self.removing, self.said, self.error = "", "", ""
        return await self._show()

    @rx.event
    async def show_added(self) -> Any:
        """Show the list again: the page's script has added a passkey."""
        self.error = ""
        return await self._show()

    @rx.event
    async def ask_proof(self) -> Any:
        """Ask for a proof of identity: the server has refused the page's script for lack of one."""
        if not self.on:
            return
        await ask_proof(self, ADD)

    @rx.event
    async def ask_remove(self, number: str) -> None:
        """«Убрать»: ask for confirmation first. An empty number withdraws the question."""
        self.removing = number[:MAX_NUMBER] if isinstance(number, str) else ""
        self.error = ""

    @rx.event
    async def remove(self, number: str) -> Any:
        """«Да, убрать»."""
        if not isinstance(number, str):
            return None
        self.removing, self.said, self.error = "", "", ""
        name = next((one.name for one in self.passkeys if one.number == number), "")
        try:
            ended = await portal().passkeys.own.remove(visitor_of(self).session_key, number[:MAX_NUMBER])
            self.said = what_was_removed(name, ended)
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:
            await self._refuse(error)
        return await self._show()

    @rx.event
    async def rename(self, form: dict[str, Any]) -> Any:
        """«Сохранить название»."""
        self.said, self.error = "", ""
        number, name = text_field(form, "number")[:MAX_NUMBER], text_field(form, "name")
        try:
            await portal().passkeys.own.rename(visitor_of(self).session_key, number, name)
            self.said = "Название сохранено."
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:
            await self._refuse(error)
        return await self._show()

    async def _show(self) -> Any:
        self.on = portal().passkeys.own.on
        try:
            views = await portal().passkeys.own.all(visitor_of(self).session_key)
        except NotSignedIn:
            self.passkeys = []
            return sign_in_again()
        self.passkeys = [_screen(view) for view in views]
        return None

    async def _refuse(self, error: MedonlineError) -> None:
        self.error = said(self, error)
        self.error_no += 1
        if isinstance(error, ReauthenticationNeeded):
            await ask_proof(self, REMOVE)


def _screen(view: PasskeyView) -> PasskeyScreen:
    zone = portal().config.zone
    used = "Ещё не использовался"
    if view.last_used_at is not None:
        used = f"Последний вход: {view.last_used_at.astimezone(zone):%d.%m.%Y в %H:%M}"
    added = f"Добавлен {view.created_at.astimezone(zone):%d.%m.%Y}"
    return PasskeyScreen(view.number, view.name, added, used, view.backed_up)
