"""«Мои карты» (guide G10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import InvalidFields, MedonlineError, NotSignedIn
from medonline.services.patient_cards.rows import CardView, Whose
from medonline.services.patient_cards.service import CardsView
from medonline.state.account import AccountState, sign_in_again
from medonline.state.input import text_field, visitor_of
from medonline.wording.errors import card_sentence, refresh_sentence, sentence

_WHOSE = {Whose.OWN: "Ваша карта", Whose.CHILD: "Карта ребёнка", Whose.OTHER: "Карта другого человека"}
DOUBTFUL_POLICY = "Карта добавлена. Обратите внимание: последняя цифра полиса не сходится с остальными, такое бывает у старых полисов."


@dataclass(frozen=True)
class CardScreen:
    """A card in words; the policy's number is masked."""

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


class CardsState(rx.State):
    """A cache of the record for the screen, rebuilt by `load`."""

    ready: bool = False
    refreshing: bool = False
    registry_on: bool = True
    registry_down: bool = False
    too_soon: str = ""
    fetched: str = ""
    cards: list[CardScreen] = []
    notice: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    error_no: int = 0
    link_no: int = 0
    unlinking: str = ""

    @rx.event
    async def load(self) -> Any:
        """What is on record at once; then what the registry says now."""
        self.notice, self.error, self.errors, self.unlinking, self.ready = "", "", {}, "", False
        self.registry_on = portal().outside.registry is not None
        try:
            self._show(await portal().cards.kept(visitor_of(self).session_key))
        except NotSignedIn:
            return AccountState.require_session
        self.ready = bool(self.cards)
        self.refreshing = self.registry_on
        return [AccountState.require_session, CardsState.fetch]

    @rx.event
    async def fetch(self) -> Any:
        """Ask the registry, unless it was asked a moment ago."""
        return await self._fetch(ask_again=False)

    @rx.event
    async def refresh(self) -> Any:
        """«Обновить»."""
        self.refreshing = True
        yield
        yield await self._fetch(ask_again=True)

    @rx.event
    async def link(self, form: dict[str, Any]) -> Any:
        """«Добавить карту»."""
        self.notice, self.error, self.errors = "", "", {}
        try:
            linked = await portal().cards.link(
                visitor_of(self).session_key, text_field(form, "policy"), text_field(form, "birth_date")
            )
        except NotSignedIn:
            return sign_in_again()
        except InvalidFields as error:
            self.errors = {name: sentence(one) for name, one in error.by_field.items()}
            self.error = " ".join(self.errors.values())
            self.error_no += 1
            return None
        except MedonlineError as error:
            self.error = card_sentence(error)
            self.error_no += 1
            return None
        self.notice = DOUBTFUL_POLICY if linked.doubtful_policy else "Карта добавлена."
        self.link_no += 1
        self._show(await portal().cards.kept(visitor_of(self).session_key))
        return None

    @rx.event
    async def ask_unlink(self, card_id: str) -> None:
        """«Убрать»: asks first."""
        self.unlinking = card_id[:64] if isinstance(card_id, str) else ""

    @rx.event
    async def unlink(self, card_id: str) -> Any:
        """«Да, убрать»."""
        if not isinstance(card_id, str):
            return None
        try:
            gone = await portal().cards.unlink(visitor_of(self).session_key, card_id[:64])
            self._show(await portal().cards.kept(visitor_of(self).session_key))
        except NotSignedIn:
            return sign_in_again()
        self.unlinking = ""
        self.notice = "Карта убрана из кабинета. В поликлинике она осталась." if gone else ""
        return None

    async def _fetch(self, *, ask_again: bool) -> Any:
        try:
            view = await portal().cards.current(visitor_of(self).session_key, ask_again=ask_again)
        except NotSignedIn:
            return sign_in_again()
        self.refreshing, self.ready = False, True
        self._show(view)
        return None

    def _show(self, view: CardsView) -> None:
        self.registry_down = view.registry_down
        self.too_soon = refresh_sentence(view.wait) if view.wait else ""
        self.fetched = _moment(view.fetched_at) if view.fetched_at else ""
        self.cards = [_screen(card) for card in view.cards]


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
        birth_date=f"{card.birth_date:%d.%m.%Y}" if card.birth_date else "",
        policy=card.policy_masked,
        whose=_WHOSE[card.whose],
        attached_since=f"{card.attached_since:%d.%m.%Y}" if card.attached_since else "",
        status=status,
        active=card.active and card.in_registry,
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(portal().config.zone):%d.%m.%Y в %H:%M}"
