"""«Мои карты» (guide G10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.birth_date import written
from medonline.domain.errors import InvalidFields, MedonlineError, NoSuchRequest, NotSignedIn
from medonline.services.patient_cards.consent import Reader, WaitingRequest
from medonline.services.patient_cards.rows import CardView, ClosedCard
from medonline.services.patient_cards.service import CardsView
from medonline.state.account import AccountState, show_account, sign_in_again
from medonline.state.input import help_of, is_checked, said, text_field, visitor_of
from medonline.state.login import forget_attempt
from medonline.wording import patient_cards as wording
from medonline.wording.errors import card_sentence, refresh_sentence, sentence

LOOK_AROUND = 0.5  # seconds between two checks, during a query to the registry, whether its page is still open


@dataclass(frozen=True)
class CardScreen:
    """A card in words. The policy number is masked."""

    id: str = ""
    number: str = ""
    clinic_name: str = ""
    clinic_address: str = ""
    clinic_phone: str = ""
    holder: str = ""
    birth_date: str = ""
    policy: str = ""
    whose: str = ""
    attached_since: str = ""
    status: str = ""
    active: bool = True


@dataclass(frozen=True)
class RequestScreen:
    """A request of this account, or a closed card. It shows only what this account knows about the card already."""

    id: str = ""
    policy: str = ""
    birth_date: str = ""
    asked: str = ""
    until: str = ""
    may_ask: bool = False


@dataclass(frozen=True)
class ReaderScreen:
    """A person who asks to see this account's cards, or may see them."""

    id: str = ""
    name: str = ""
    phone_tail: str = ""
    at: str = ""


class CardsState(rx.State):
    """A cache of the record for the screen, rebuilt by `load`."""

    ready: bool = False
    refreshing: bool = False
    registry_on: bool = True
    registry_down: bool = False
    incomplete: bool = False
    too_soon: str = ""
    fetched: str = ""
    cards: list[CardScreen] = []
    closed: list[RequestScreen] = []
    waiting: list[RequestScreen] = []
    to_answer: list[ReaderScreen] = []
    readers: list[ReaderScreen] = []
    notice: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    error_no: int = 0
    link_no: int = 0
    unlinking: str = ""
    removing: str = ""
    _asked: int = 0  # counts the queries to the registry; only the last one is shown
    _shown: int = 0  # counts the updates of the screen

    @rx.event
    async def load(self) -> Any:
        """Show what is on record at once, then what the registry says now."""
        await forget_attempt(self)
        self.notice, self.error, self.errors, self.unlinking, self.ready = "", "", {}, "", False
        self.removing = ""
        self.registry_on = portal().outside.registry is not None
        try:
            me, view = await portal().cards.opened(visitor_of(self).session_key)
        except NotSignedIn:
            return AccountState.require_session
        await show_account(self, me)
        self._show(view)
        self.ready = bool(self.cards)
        self.refreshing = self.registry_on
        return CardsState.fetch

    @rx.event(background=True)
    async def fetch(self) -> AsyncIterator[Any]:
        """Ask the registry, unless it was asked a moment ago."""
        async for event in _ask(self, pressed=False):
            yield event

    @rx.event(background=True)
    async def refresh(self) -> AsyncIterator[Any]:
        """«Обновить»."""
        async for event in _ask(self, pressed=True):
            yield event

    @rx.event
    async def link(self, form: dict[str, Any]) -> Any:
        """«Добавить карту»."""
        self.notice, self.error, self.errors = "", "", {}
        try:
            outcome = await portal().cards.link(
                visitor_of(self).session_key,
                text_field(form, "policy"),
                text_field(form, "birth_date"),
                representative=is_checked(form, "representative"),
            )
        except NotSignedIn:
            return sign_in_again()
        except InvalidFields as error:
            self.errors = {name: sentence(one, help=help_of(self)) for name, one in error.by_field.items()}
            self.error = wording.NOT_ADDED
            self.error_no += 1
            return None
        except MedonlineError as error:
            self.error = card_sentence(error, help_of(self))
            self.error_no += 1
            return None
        self.link_no += 1
        return await self._done(wording.added(outcome, help_of(self)))

    @rx.event
    async def ask_unlink(self, card_id: str) -> None:
        """«Убрать»: ask for confirmation first."""
        self.unlinking = card_id[:64] if isinstance(card_id, str) else ""

    @rx.event
    async def unlink(self, card_id: str) -> Any:
        """«Да, убрать»."""
        if not isinstance(card_id, str):
            return None
        try:
            gone = await portal().cards.unlink(visitor_of(self).session_key, card_id[:64])
        except NotSignedIn:
            return sign_in_again()
        self.unlinking = ""
        return await self._done(wording.REMOVED if gone else "")

    @rx.event
    async def ask_again(self, card_id: str) -> Any:
        """«Спросить согласие»: ask the owner of a closed card again."""
        if not isinstance(card_id, str):
            return None
        try:
            await portal().cards.ask_again(visitor_of(self).session_key, card_id[:64])
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:
            return await self._done(card_sentence(error, help_of(self)))
        return await self._done(wording.asked_again())

    @rx.event
    async def withdraw(self, access_id: str) -> Any:
        """«Отозвать запрос»."""
        if not isinstance(access_id, str):
            return None
        try:
            gone = await portal().cards.consent.withdraw(visitor_of(self).session_key, access_id[:64])
        except NotSignedIn:
            return sign_in_again()
        return await self._done(wording.WITHDRAWN if gone else "")

    @rx.event
    async def grant(self, access_id: str) -> Any:
        """«Разрешить»."""
        if not isinstance(access_id, str):
            return None
        try:
            await portal().cards.consent.grant(visitor_of(self).session_key, access_id[:64])
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:  # the request is gone meanwhile, or its owner could not be notified
            return await self._done(said(self, error))
        return await self._done(wording.GRANTED)

    @rx.event
    async def refuse(self, access_id: str) -> Any:
        """«Отказать»."""
        if not isinstance(access_id, str):
            return None
        try:
            await portal().cards.consent.refuse(visitor_of(self).session_key, access_id[:64])
        except NotSignedIn:
            return sign_in_again()
        except NoSuchRequest as error:
            return await self._done(said(self, error))
        return await self._done(wording.REFUSED)

    @rx.event
    async def ask_remove(self, access_id: str) -> None:
        """«Убрать доступ»: ask for confirmation first."""
        self.removing = access_id[:64] if isinstance(access_id, str) else ""

    @rx.event
    async def remove(self, access_id: str) -> Any:
        """«Да, убрать доступ»."""
        if not isinstance(access_id, str):
            return None
        try:
            gone = await portal().cards.consent.remove(visitor_of(self).session_key, access_id[:64])
        except NotSignedIn:
            return sign_in_again()
        self.removing = ""
        return await self._done(wording.ACCESS_REMOVED if gone else "")

    async def _done(self, notice: str) -> Any:
        """Say what was done, and show what is on record now."""
        try:
            view = await portal().cards.kept(visitor_of(self).session_key)
        except NotSignedIn:
            return sign_in_again()
        self.notice = notice
        self.error, self.errors = "", {}  # an earlier refusal is over
        self._show(view)
        return None

    def _show(self, view: CardsView) -> None:
        self._shown += 1
        self.registry_down = view.registry_down
        self.incomplete = view.incomplete
        self.too_soon = refresh_sentence(view.wait) if view.wait else ""
        self.fetched = _moment(view.fetched_at) if view.fetched_at else ""
        self.cards = [_screen(card) for card in view.cards]
        self.closed = [_closed(card) for card in view.closed]
        self.waiting = [_waiting(one) for one in view.consents.waiting]
        self.to_answer = [_reader(one) for one in view.consents.to_answer]
        self.readers = [_reader(one) for one in view.consents.granted]


async def _ask(state: CardsState, *, pressed: bool) -> AsyncIterator[Any]:
    """Query the registry while the page stays usable. A registry may take seconds, so the state is not locked meanwhile.

    The query is given up when the patient leaves the page and when a later load queries again. Yields what the handler must send.
    """
    async with state:
        state._asked += 1
        mine, shown, visitor = state._asked, state._shown, visitor_of(state)
        state.refreshing = True
    yield None
    key = visitor.session_key
    question = asyncio.ensure_future(portal().cards.current(key, ask_again=pressed))
    try:
        while not (await asyncio.wait({question}, timeout=LOOK_AROUND))[0]:
            if visitor != visitor_of(state) or state._asked != mine:
                return
        try:
            view = question.result()
            async with state:
                if state._asked != mine:
                    return
                if state._shown != shown:
                    # A form was answered meanwhile, and the registry's answer may be older than that.
                    view = replace(await portal().cards.kept(key), registry_down=view.registry_down, wait=view.wait)
                state.refreshing, state.ready = False, True
                state._show(view)
        except NotSignedIn:
            yield sign_in_again()
    finally:
        question.cancel()


def _screen(card: CardView) -> CardScreen:
    status = "Действует" if card.active else "Закрыта"
    if not card.in_registry:
        status = "Больше не числится в реестре"
    return CardScreen(
        id=card.id,
        number=card.number,
        clinic_name=card.clinic_name,
        clinic_address=card.clinic_address,
        clinic_phone=card.clinic_phone,
        holder=card.holder,
        birth_date=written(card.birth_date),
        policy=card.policy_masked,
        whose=wording.WHOSE[card.whose],
        attached_since=f"{card.attached_since:%d.%m.%Y}" if card.attached_since else "",
        status=status,
        active=card.active and card.in_registry,
    )


def _closed(card: ClosedCard) -> RequestScreen:
    born = written(card.birth_date)
    return RequestScreen(card.id, card.policy_masked, born, may_ask=card.may_ask)


def _waiting(one: WaitingRequest) -> RequestScreen:
    asked, until = _moment(one.asked_at), _moment(one.expires_at)
    return RequestScreen(one.id, one.policy_masked, written(one.birth_date), asked, until)


def _reader(one: Reader) -> ReaderScreen:
    return ReaderScreen(one.id, one.full_name, one.phone_tail, _moment(one.at))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(portal().config.zone):%d.%m.%Y в %H:%M}"
