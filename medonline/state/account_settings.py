"""The settings (guide G12). Each handler guards itself, calls the service and shows the result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, fields
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    ChannelOverBudget,
    ChannelUnavailable,
    InvalidFields,
    MedonlineError,
    NoChangeInProgress,
    NotSignedIn,
    PhoneTaken,
    ReauthenticationNeeded,
)
from medonline.domain.passwords import PasswordCharacters
from medonline.domain.phone import PhoneNumber
from medonline.services.account_settings.form import Saved, SettingsForm, SettingsView
from medonline.services.codes.flow import CodeView
from medonline.services.passwords.strength import Strength
from medonline.state.account import AccountState, sign_in_again
from medonline.state.codes.screen import NO_CODE, CodeScreen, steady
from medonline.state.codes.watch import FollowsCode, code_now, follow
from medonline.state.codes.ways import OffersWays, proofs_alone
from medonline.state.email_proof import EmailProofState
from medonline.state.input import help_of, query_of, said, text_field, visitor_of
from medonline.state.reauthentication import ask_proof, panel_of
from medonline.web.sockets.server import Visitor
from medonline.wording.account_settings import HOW_LINKED, NOTHING_SAVED, what_was_saved, what_was_unlinked
from medonline.wording.errors import field_sentence, proof_sentence
from medonline.wording.passwords import strength_sentence

FIELDS = tuple(field.name for field in fields(SettingsForm))


SAVE, UNLINK = "Сохранить", "Отвязать"


@dataclass(frozen=True)
class IdentityScreen:
    """An account at Gosuslugi in words."""

    number: str = ""
    linked: str = ""
    used: str = ""


class SettingsState(FollowsCode, OffersWays, rx.State):
    """A cache of the record for the screen, rebuilt by `load`. Passwords are never kept here."""

    ready: bool = False
    phone: str = ""
    email: str = ""
    last_name: str = ""
    first_name: str = ""
    has_password: bool = False
    min_length: int = 6
    signs_allowed: bool = False
    password_wanted: bool = False
    waiting_code: bool = False
    code: CodeScreen = NO_CODE
    channel_refused: bool = False
    saved: str = ""
    strength: str = ""
    strength_score: int = -1
    errors: dict[str, str] = {}
    error: str = ""
    error_no: int = 0
    code_error: str = ""
    code_error_no: int = 0
    form_no: int = 0
    proofs: int = 0  # when this grows, the page sends a refused form again (`browser/account/send_again.js`)
    identities: list[IdentityScreen] = []
    unlinking: str = ""
    unlink_error: str = ""
    unlink_error_no: int = 0

    @rx.event
    async def load(self) -> Any:
        """Rebuild the screen from the record."""
        self._forget()
        self.saved, self.ready = "", False
        (await panel_of(self))._close()
        self.strength, self.strength_score, self.unlinking = "", -1, ""
        self.password_wanted = query_of(self, "focus") == "password"
        self.min_length = portal().config.password_min_length_settings
        self.signs_allowed = portal().config.password_characters is PasswordCharacters.ASCII
        self._offer()
        try:
            self._show(await portal().settings.current(visitor_of(self).session_key))
            await self._show_identities()
        except NotSignedIn:
            return [AccountState.require_session]
        self.ready = True
        following = [SettingsState.watch] if self.waiting_code else []
        return [AccountState.require_session, EmailProofState.load, *following]

    @rx.event
    async def save(self, form: dict[str, Any]) -> Any:
        """«Сохранить»."""
        self._forget()
        self.saved = ""
        channel = text_field(form, "channel") or next(iter(proofs_alone(portal().config.code_channels)))
        if channel not in tuple(ChannelName):
            return None
        typed = SettingsForm(**{name: text_field(form, name) for name in FIELDS})
        return await self._attempt(portal().settings.save(visitor_of(self), typed, ChannelName(channel)))

    @rx.event
    async def confirm_phone(self, form: dict[str, Any]) -> Any:
        """Take the code that was sent to the new phone."""
        return await self._attempt(
            portal().settings.confirm_phone(visitor_of(self).session_key, text_field(form, "code")), code=True
        )

    @rx.event
    async def resend(self, channel: str) -> Any:
        """Send another code to the new phone."""
        visitor = visitor_of(self)
        if channel not in tuple(ChannelName):
            return None

        async def again() -> Saved:
            await portal().settings.resend(visitor, ChannelName(channel))
            return Saved(code_needed=True)

        return await self._attempt(again(), code=True)

    @rx.event
    async def cancel_phone(self) -> Any:
        """Cancel the change of the phone. The old phone stays."""
        try:
            await portal().settings.cancel(visitor_of(self).session_key)
            self._show(await portal().settings.current(visitor_of(self).session_key))
        except NotSignedIn:
            return sign_in_again()
        self.waiting_code, self.code_error = False, ""
        return None

    @rx.event
    async def prove(self, form: dict[str, Any]) -> Any:
        """Take the current password, typed again. After this proof the phone and the password may be changed."""
        panel = await panel_of(self)
        try:
            visitor, password = visitor_of(self), text_field(form, "current_password")
            await portal().sessions.prove_again(visitor, password)
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:
            panel._refuse(proof_sentence(error, portal().config.zone, help_of(self)))
            return None
        self.error, self.unlink_error = "", ""
        again = panel._close()
        if again == SAVE:
            self.proofs += 1
        elif again:
            self.saved = f"Готово. Нажмите «{again}» ещё раз."
        return None

    @rx.event
    async def ask_unlink(self, number: str) -> None:
        """«Отвязать»: ask for confirmation first. An empty number withdraws the question."""
        self.unlinking = number[:64] if isinstance(number, str) else ""
        self.unlink_error = ""

    @rx.event
    async def unlink(self, number: str) -> Any:
        """«Да, отвязать»."""
        if not isinstance(number, str):
            return None
        self._forget()
        self.saved, self.unlinking = "", ""
        try:
            ended = await portal().identities.unlink(visitor_of(self).session_key, number[:64])
            self.saved = what_was_unlinked(ended)
            await self._show_identities()
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:
            self.unlink_error = said(self, error)
            self.unlink_error_no += 1
            await self._follow_refusal(error, UNLINK)
            await self._show_identities()
        return None

    @rx.event
    async def rate_password(self, password: str) -> None:
        """Rate the strength of a password once it was typed. The state keeps the rating, not the password.

        Rating takes time, so it is done only for a signed-in patient, and outside the event loop.
        """
        session_key = visitor_of(self).session_key
        signed_in = await portal().login.who(session_key) if session_key and isinstance(password, str) else None
        if signed_in is None or not password:
            self.strength, self.strength_score = "", -1
            return
        rated = await asyncio.to_thread(Strength.of, password[:256], (self.last_name, self.first_name))
        self.strength, self.strength_score = strength_sentence(rated), rated.score

    @rx.event(background=True)
    async def watch(self) -> AsyncIterator[None]:
        """Follow the delivery and the countdown of the code to the new phone."""
        async for _ in follow(self, lambda: self.waiting_code, _look, self._show_progress):
            yield

    def _show_progress(self, code: CodeView) -> bool:
        if self.waiting_code:
            screen = steady(code_now(code), self.code)
            if screen != self.code:
                self.code = screen
        return self.waiting_code

    async def _attempt(self, action: Awaitable[Saved], *, code: bool = False) -> Any:
        try:
            saved = await action
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:
            if code:
                await self._show_code_refusal(error)
            else:
                await self._show_refusal(error)
            return None
        self.code_error = ""
        view = await portal().settings.current(visitor_of(self).session_key)
        self._show(view)
        if saved.code_needed:
            return SettingsState.watch
        self.saved = what_was_saved(saved, has_phone=bool(view.phone))
        self.strength, self.strength_score, self.password_wanted = "", -1, False
        self.form_no += 1
        return [AccountState.load_page, EmailProofState.load]

    def _show(self, view: SettingsView) -> None:
        before = (self.phone, self.email, self.last_name, self.first_name)
        self.phone = PhoneNumber(view.phone).spaced if view.phone else ""
        self.email, self.last_name, self.first_name = view.email, view.last_name, view.first_name
        if before != (self.phone, self.email, self.last_name, self.first_name):
            self.form_no += 1  # a field takes only its first value: the form is drawn again to show this one
        self.has_password = view.has_password
        self.waiting_code = view.code is not None
        if view.code is not None:
            self.code = code_now(view.code)

    async def _show_identities(self) -> None:
        zone = portal().config.zone
        self.identities = [
            IdentityScreen(
                number=view.number,
                linked=f"Связана {view.linked_at.astimezone(zone):%d.%m.%Y} {HOW_LINKED[view.how]}",
                used=f"{view.last_used_at.astimezone(zone):%d.%m.%Y в %H:%M}",
            )
            for view in await portal().identities.all(visitor_of(self).session_key)
        ]

    async def _show_refusal(self, error: MedonlineError) -> None:
        if isinstance(error, InvalidFields):
            self.errors = {name: field_sentence(name, one, help_of(self)) for name, one in error.by_field.items()}
            self.error = NOTHING_SAVED
        else:
            self.error = said(self, error)
            await self._follow_refusal(error, SAVE)
            self.channel_refused = isinstance(error, ChannelOverBudget | ChannelUnavailable)
            if self.channel_refused:
                self._offer()
        self.error_no += 1

    async def _show_code_refusal(self, error: MedonlineError) -> None:
        self.code_error = said(self, error)
        self.code_error_no += 1
        if isinstance(error, PhoneTaken | NoChangeInProgress):
            self.waiting_code, self.code_error = False, ""
            self.error = said(self, error)
            self.error_no += 1
            if isinstance(error, PhoneTaken):
                self.error, self.errors = NOTHING_SAVED, {"phone": self.error}
                await portal().settings.cancel(visitor_of(self).session_key)
            return
        code = await portal().settings.code_of(visitor_of(self).session_key)
        if code is not None:
            self.code = code_now(code)

    def _offer(self) -> None:
        self._offer_ways(portal().switches.open_now(), alone=True)

    async def _follow_refusal(self, error: MedonlineError, again: str) -> None:
        """Ask for a proof of identity if the action was refused for lack of one. Otherwise withdraw the question."""
        if isinstance(error, ReauthenticationNeeded):
            await ask_proof(self, again)
        else:
            (await panel_of(self))._close()

    def _forget(self) -> None:
        self.channel_refused = False
        self.errors, self.error, self.code_error, self.unlink_error = {}, "", "", ""


async def _look(visitor: Visitor) -> CodeView | None:
    return await portal().settings.code_of(visitor.session_key) if visitor.session_key else None
