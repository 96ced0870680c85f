"""The recovery wizard. Each handler guards itself, calls the service, shows the result and names the next step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.step_up import StepUpWhen
from medonline.domain.errors import (
    BirthDateMismatch,
    CallAwaited,
    ChannelOverBudget,
    ChannelUnavailable,
    CodeRefused,
    CookiesMissing,
    LimitReached,
    MedonlineError,
    NoRecoveryInProgress,
    PasswordAlreadySet,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.passwords import PasswordCharacters
from medonline.services.password_recovery.reader import RecoveryView
from medonline.state.account import load_account
from medonline.state.codes.screen import steady
from medonline.state.codes.watch import FollowsCode, follow
from medonline.state.codes.ways import OffersWays
from medonline.state.failures import dismiss_failure
from medonline.state.input import said, text_field, visitor_of
from medonline.state.login import forget_attempt
from medonline.state.page_load import KeepsAnswers
from medonline.state.password_recovery.screen import PHONE_STEP, RecoveryScreen, screen_of
from medonline.web.sockets.server import Visitor
from medonline.wording.errors import CHANNEL_MISSING

WATCHED = (RecoveryStep.CODE, RecoveryStep.BIRTH_DATE)


class RecoveryState(FollowsCode, OffersWays, KeepsAnswers, rx.State):
    """A cache of the record for the screen. A restart loses it, and `load` rebuilds it."""

    screen: RecoveryScreen = RecoveryScreen()
    loaded: bool = False  # whether `screen` comes from the record already
    error: str = ""
    error_field: str = ""
    error_no: int = 0
    must_wait: bool = False  # no code can be sent for now: the screen offers at once what else works

    @rx.var
    def title(self) -> str:
        """The document's title. It changes with the step, and starts with «Ошибка» after a refusal."""
        return f"{'Ошибка: ' if self.error else ''}{self.screen.title} — Медицина-онлайн"

    @rx.event
    async def load(self) -> Any:
        """Rebuild the screen from the record. It never sends a code."""
        await forget_attempt(self)
        if not self._note_load():
            self.error, self.error_field, self.must_wait = "", "", False
        channels, view = await portal().recovery.opened(visitor_of(self))
        self._offer_ways(channels)
        self._show(view)
        self.loaded = True
        await load_account(self)
        return self._watched()

    @rx.event
    async def begin(self, form: dict[str, Any]) -> Any:
        """Step 1: «ДАЛЕЕ»."""
        channel = text_field(form, "channel")
        if channel not in tuple(ChannelName):
            self._refuse("channel", CHANNEL_MISSING)
            return None
        phone = text_field(form, "phone")
        return await self._advance(lambda client: portal().recovery.begin(client, phone, ChannelName(channel)))

    @rx.event
    async def resend(self, channel: str) -> Any:
        """Step 2: send another code, by the same way or another one."""
        if channel not in tuple(ChannelName):
            return None
        return await self._advance(lambda client: portal().recovery.resend(client, ChannelName(channel)))

    @rx.event
    async def confirm_code(self, form: dict[str, Any]) -> Any:
        """Step 2: «ОТПРАВИТЬ»."""
        code = text_field(form, "code")
        return await self._advance(lambda client: portal().recovery.confirm_code(client, code))

    @rx.event
    async def take_call(self) -> Any:
        """Step 2: «Проверить звонок». Without this button the watch finds the call."""
        return await self._advance(portal().recovery.take_call)

    @rx.event
    async def confirm_birth_date(self, form: dict[str, Any]) -> Any:
        """Between steps 2 and 3: take the birth date, where a call is not enough as a proof."""
        typed = text_field(form, "birth_date")
        return await self._advance(lambda client: portal().recovery.confirm_birth_date(client, typed))

    @rx.event
    async def change_password(self, form: dict[str, Any]) -> Any:
        """Step 3: «СМЕНИТЬ ПАРОЛЬ»."""
        password = text_field(form, "new_password")
        return await self._advance(lambda client: portal().recovery.set_password(client, password))

    @rx.event
    async def start_again(self) -> None:
        """Give up the recovery and go back to step 1, to use another phone."""
        visitor = visitor_of(self)
        if visitor.visitor_key:
            await portal().recovery.leave(visitor)
        self.error, self.error_field, self.must_wait = "", "", False
        self._show(None)

    @rx.event(background=True)
    async def watch(self) -> AsyncIterator[None]:
        """Follow the delivery and the countdown of step 2 until the step is over or the tab is gone."""
        async for _ in follow(self, self._shows_code, _look, self._show_progress):
            yield

    def _shows_code(self) -> bool:
        return self.screen.step in WATCHED

    def _show_progress(self, view: RecoveryView) -> bool:
        if self._shows_code():
            self._show(view, keep_countdown=True)
        return True

    async def _advance(self, action: Callable[[Client], Awaitable[RecoveryView]]) -> Any:
        visitor = visitor_of(self)
        try:
            if not (visitor.visitor_key and visitor.sitting_key):
                raise CookiesMissing
            self._show(await action(visitor))
            self.error, self.error_field, self.must_wait = "", "", False
        except MedonlineError as error:
            await self._show_refusal(error)
        await dismiss_failure(self)
        return self._watched()

    def _watched(self) -> Any:
        """The next step: follow the code, if the screen shows one."""
        return RecoveryState.watch if self._shows_code() else None

    async def _show_refusal(self, error: MedonlineError) -> None:
        """Show why the action was refused, at the screen's field.

        The refused action or another tab may have moved the recovery on, so this first reads the screen again. If the new screen explains
        itself, no error is shown.
        """
        field = self.screen.field
        if isinstance(error, CodeRefused | BirthDateMismatch | NoRecoveryInProgress | PasswordAlreadySet):
            view = await portal().recovery.current(visitor_of(self))
            self._show(view)
            field = self.screen.field
            refused = view is not None and view.step in (RecoveryStep.REFUSED, RecoveryStep.STOPPED)
            if refused or (isinstance(error, NoRecoveryInProgress) and view is not None):
                self.error, self.error_field, self.must_wait = "", "", False  # the new screen explains it
                return
        elif isinstance(error, ChannelOverBudget | ChannelUnavailable):
            self._offer_ways(await portal().recovery.open_channels())
            field = "channel" if field == PHONE_STEP.field else field
        self._refuse(field, said(self, error))
        self.must_wait = isinstance(error, LimitReached | ChannelUnavailable | CallAwaited)

    def _refuse(self, field: str, text: str) -> None:
        self.error, self.error_field = text, field
        self.error_no += 1
        self._note_answer()

    def _show(self, view: RecoveryView | None, *, keep_countdown: bool = False) -> None:
        config = portal().config
        screen = screen_of(view, portal().clock(), config.zone, config.code_channels) if view else PHONE_STEP
        if keep_countdown:
            screen = steady(screen, self.screen)
        signs = config.password_characters is PasswordCharacters.ASCII
        screen = replace(screen, min_length=config.password_min_length_recovery, signs_allowed=signs)
        if screen.step == RecoveryStep.BIRTH_DATE and config.step_up is StepUpWhen.ALWAYS:
            screen = replace(screen, other_channel="")  # no code replaces the date
        if screen != self.screen:
            self.screen = screen


async def _look(visitor: Visitor) -> RecoveryView | None:
    view = await portal().recovery.follow(visitor) if visitor.visitor_key else None
    if view is None:
        return None
    # A call that the portal has received may end the recovery at once. The screen must still show that before the watch ends.
    return view if view.step in WATCHED or view.channel.facts.patient_calls else None
