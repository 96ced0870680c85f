"""The proof of an old account by a person who came back from Gosuslugi."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import reflex as rx

from medonline import routes
from medonline.bootstrap import portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    AccountOfAnother,
    ChannelOverBudget,
    ChannelUnavailable,
    CodeRefused,
    CookiesMissing,
    IdentityProblem,
    InvalidPassword,
    InvalidPhone,
    MedonlineError,
    NoPendingIdentity,
)
from medonline.services.codes.flow import CodeView
from medonline.services.gosuslugi.login import Waiting
from medonline.services.gosuslugi.pending_person import PendingView
from medonline.state.account import AccountState
from medonline.state.codes.screen import NO_CODE, CodeScreen, steady
from medonline.state.codes.watch import FollowsCode, code_now, follow
from medonline.state.codes.ways import OffersWays
from medonline.state.gosuslugi.register import lead_to_consent
from medonline.state.input import help_of, page_of, said, text_field, visitor_of
from medonline.web.sockets.server import Visitor
from medonline.wording.errors import CHANNEL_MISSING, linking_sentence


class LinkAccountState(FollowsCode, OffersWays, rx.State):
    """A person who came back from Gosuslugi proves that an account by phone is theirs."""

    ready: bool = False
    full_name: str = ""
    phone: str = ""
    step: str = "proof"
    code: CodeScreen = NO_CODE
    error: str = ""
    error_field: str = ""
    error_no: int = 0
    ticket: str = ""
    ticket_page: str = ""

    @rx.event
    async def load(self) -> Any:
        """Show who has to prove an account in this browser."""
        self.error, self.error_field, self.ticket = "", "", ""
        self._offer()
        view = await portal().answers.current(visitor_of(self))
        if view is None or view.waits_for is not Waiting.PROOF:
            target = routes.REGISTER if view else f"{routes.LOGIN_FAILED}?reason={IdentityProblem.STALE}"
            return [AccountState.load_page, rx.redirect(target, replace=True)]
        self._show(view)
        self.ready = True
        return [AccountState.load_page, LinkAccountState.watch]

    @rx.event
    async def prove_by_password(self, form: dict[str, Any]) -> Any:
        """Take the phone and the password of the old account."""
        phone, password = text_field(form, "phone"), text_field(form, "password")
        return await self._prove(form, lambda client: portal().answers.prove_by_password(client, phone, password))

    @rx.event
    async def send_code(self, form: dict[str, Any]) -> Any:
        """Send a code to the phone of the old account."""
        return await self._send(text_field(form, "phone"), text_field(form, "channel"))

    @rx.event
    async def resend(self, channel: str) -> Any:
        """Send another code, by the same way or another one."""
        return await self._send("", channel)

    @rx.event
    async def confirm_code(self, form: dict[str, Any]) -> Any:
        """Take the code that proves the phone."""
        code = text_field(form, "code")
        return await self._prove(form, lambda client: portal().answers.confirm_code(client, code))

    @rx.event
    async def other_way(self) -> None:
        """Go back from the code to the choice of proofs."""
        self.step, self.error, self.error_field = "proof", "", ""

    @rx.event
    async def not_mine(self, form: dict[str, Any]) -> Any:
        """Go on as a new patient: the account belongs to somebody else, or its owner cannot get into it any more."""
        return await self._prove(form, portal().answers.not_mine)

    @rx.event(background=True)
    async def watch(self) -> AsyncIterator[None]:
        """Follow the delivery and the countdown of the code."""
        async for _ in follow(self, lambda: self.step == "code", _look, self._show_progress):
            yield

    async def _send(self, phone: str, channel: str) -> Any:
        visitor = visitor_of(self)
        if channel not in tuple(ChannelName):
            self._refuse("channel", CHANNEL_MISSING)
            return None
        try:
            await portal().answers.send_code(visitor, phone, ChannelName(channel))
        except MedonlineError as error:
            return self._show_refusal(error, "code-phone")
        self.error, self.error_field, self.step = "", "", "code"
        view = await portal().answers.current(visitor)
        if view is not None:
            self._show(view)
        return LinkAccountState.watch

    async def _prove(self, form: object, action: Callable[[Client], Awaitable[str]]) -> Any:
        visitor = visitor_of(self)
        try:
            if not visitor.visitor_key:
                raise CookiesMissing
            self.ticket_page = page_of(form)
            self.ticket = await action(visitor)
        except MedonlineError as error:
            view = await portal().answers.current(visitor)
            if view is not None and view.code is not None:
                self._show_code(view.code)
            return self._show_refusal(error, "code" if isinstance(error, CodeRefused) else "")
        self.error, self.error_field = "", ""
        return None if self.ticket else await lead_to_consent(self)

    def _show_refusal(self, error: MedonlineError, field: str) -> Any:
        if isinstance(error, NoPendingIdentity):
            return rx.redirect(f"{routes.LOGIN_FAILED}?reason={IdentityProblem.STALE}", replace=True)
        if isinstance(error, InvalidPhone):
            field = field or "phone"
        elif isinstance(error, InvalidPassword):
            field = "password"
        elif isinstance(error, AccountOfAnother):
            field, self.step = "", "proof"
        text = said(self, error) if field in ("code", "code-phone") else self._said_of_password(error)
        if isinstance(error, ChannelOverBudget | ChannelUnavailable):
            self._offer()
            field = field if self.step == "code" else "channel"
        self._refuse(field, text)
        return None

    def _said_of_password(self, error: MedonlineError) -> str:
        by_code = bool(self.ways or self.further_ways)
        return linking_sentence(error, portal().config.zone, help_of(self), by_code=by_code)

    def _offer(self) -> None:
        self._offer_ways(portal().switches.open_now(), alone=True)

    def _refuse(self, field: str, text: str) -> None:
        self.error, self.error_field = text, field
        self.error_no += 1

    def _show(self, view: PendingView) -> None:
        self.full_name, self.phone = view.full_name, view.phone
        if view.code is not None and view.code.code_alive:
            self.step = "code"
        if view.code is not None:
            self._show_code(view.code)

    def _show_progress(self, view: CodeView) -> bool:
        if self.step == "code":
            self._show_code(view, keep_countdown=True)
        return True

    def _show_code(self, view: CodeView, *, keep_countdown: bool = False) -> None:
        screen = code_now(view)
        screen = steady(screen, self.code) if keep_countdown else screen
        if screen != self.code:
            self.code = screen


async def _look(visitor: Visitor) -> CodeView | None:
    view = await portal().answers.current(visitor) if visitor.visitor_key else None
    return view.code if view is not None and view.waits_for is Waiting.PROOF else None
