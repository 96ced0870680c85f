"""«Мои карты» (guide G10): the registry's cards of an account, from its last good answer when it is down.

The account's own cards are found by СНИЛС, or by the policy that the identity provider told. Other cards are linked by
policy number and birth date, within limits of attempts (`attempts`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from medonline.domain import oms_policy
from medonline.domain.birth_date import parse_birth_date
from medonline.domain.errors import (
    CardAlreadyLinked,
    CardNotFound,
    InvalidBirthDate,
    InvalidFields,
    InvalidInput,
    InvalidPolicy,
    RegistryUnavailable,
)
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.crypto.field_encryption import SealBroken, Sealer
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.patient_cards.attempts import CardAttempts
from medonline.services.patient_cards.rows import CardView, filled, relinked, view_of
from medonline.services.ports import CardRegistry, RegistryCard
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database
from medonline.storage.queries import patient_cards, patients
from medonline.storage.tables.patients import Patient

log = logging.getLogger(__name__)

FRESH_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CardsView:
    """The cards of an account.

    `fetched_at` (UTC) is the registry's last good answer; `registry_down`: it is not today's; `wait`: «Обновить» was pressed
    too soon, and may be pressed again after so long.
    """

    cards: tuple[CardView, ...]
    fetched_at: datetime | None
    registry_down: bool
    wait: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class LinkedCards:
    """What linking added. `doubtful_policy`: the number breaks the rule of its check digit, yet the registry has it."""

    count: int
    doubtful_policy: bool


@dataclass(frozen=True, slots=True)
class PatientCardService:
    """The use case; `session_key` names the signed-in browser. `registry` is None where the region has none."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    registry: CardRegistry | None
    snils: Sealer
    policies: Sealer
    journal: SecurityJournal
    attempts: CardAttempts

    async def kept(self, session_key: str) -> CardsView:
        """What is on record here; asks nobody.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        return await self._view(me.patient_id)

    async def current(self, session_key: str, *, ask_again: bool = False) -> CardsView:
        """The cards as the registry has them now, or as it had them when it last answered.

        The registry is asked when its last answer is older than 10 minutes, or when the patient wants it (`ask_again`), within
        the limits of `attempts`: once for the account's own cards, and once for each other one.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        async with self.database.reading() as session:
            patient = await session.get(Patient, me.patient_id)
        if patient is None or self.registry is None:
            return await self._view(me.patient_id)
        asked_at, fetched_at = self.clock(), patient.cards_fetched_at
        if not ask_again and fetched_at is not None and asked_at - fetched_at < FRESH_FOR:
            return await self._view(me.patient_id)
        if not await self.attempts.begin_refresh(me.patient_id, asked_at, pressed=ask_again):
            wait = await self.attempts.refresh_wait(me.patient_id) if ask_again else timedelta()
            return replace(await self._view(me.patient_id), wait=wait)
        try:
            await self._fetch(self.registry, patient)
        except RegistryUnavailable as error:
            log.warning("The registry of cards gives no good answer: %s", error)
            if ask_again:
                await self.attempts.refresh_failed(me.patient_id, asked_at)
            return replace(await self._view(me.patient_id), registry_down=True)
        return await self._view(me.patient_id)

    async def link(self, session_key: str, typed_policy: str, typed_birth_date: str) -> LinkedCards:
        """Add the cards of whoever has this policy and was born on this day.

        Raises:
            NotSignedIn: the session is over.
            InvalidFields: one of the two is no policy, no date.
            CardNotFound, CardAlreadyLinked: see there.
            RateLimited: too many attempts of this account, or at this policy.
            RegistryUnavailable: the registry cannot be asked now.
        """
        me = await self.sessions.required(session_key)
        policy, born = _parsed(typed_policy, typed_birth_date, self.clock().date())
        if self.registry is None:
            raise RegistryUnavailable("no registry is configured")
        fitting = [card for card in await self._asked(self.registry, me.patient_id, policy) if card.birth_date == born]
        if not fitting:
            async with self.database.writing() as session:
                self.journal.note(session, JournalNote(JournalEvent.CARD_REFUSED, me.patient_id, device=me.device))
            raise CardNotFound
        now = self.clock()
        async with self.database.writing() as session:
            patient = await patients.by_id_held(session, me.patient_id)
            have = {card.ref: card for card in await patient_cards.of_patient(session, me.patient_id)}
            added = [card for card in fitting if card.ref not in have or have[card.ref].unlinked_at is not None]
            if not added or patient is None:
                raise CardAlreadyLinked
            for card in added:
                session.add(relinked(filled(have.get(card.ref), patient, card, now)))
            what = {"cards": len(added)}
            note = JournalNote(JournalEvent.CARD_ADDED, patient.id, device=me.device, details=what)
            self.journal.note(session, note)
        return LinkedCards(len(added), not oms_policy.has_right_check_digit(policy))

    async def unlink(self, session_key: str, card_id: str) -> bool:
        """Take a card off the list; it can be linked again. False when the account has no such card.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        async with self.database.writing() as session:
            unlinked = await patient_cards.unlink(session, me.patient_id, card_id, self.clock())
            if unlinked:
                self.journal.note(session, JournalNote(JournalEvent.CARD_REMOVED, me.patient_id, device=me.device))
            return unlinked

    async def _fetch(self, registry: CardRegistry, patient: Patient) -> None:
        own = await self._own_cards(registry, patient)
        async with self.database.reading() as session:
            linked = [
                card.ref for card in await patient_cards.of_patient(session, patient.id) if card.unlinked_at is None
            ]
        fresh = {card.ref: card for card in own}
        for ref in linked:
            if ref not in fresh and (card := await registry.card(ref)) is not None:
                fresh[ref] = card
        now = self.clock()
        async with self.database.writing() as session:
            held = await patients.by_id_held(session, patient.id)
            have = {card.ref: card for card in await patient_cards.of_patient(session, patient.id)}
            for card in fresh.values() if held else ():
                session.add(filled(have.get(card.ref), patient, card, now))
            for ref in linked:
                if ref not in fresh and ref in have:
                    have[ref].in_registry = False
                    session.add(have[ref])
            await patient_cards.put_fetched(session, patient.id, now)

    async def _own_cards(self, registry: CardRegistry, patient: Patient) -> list[RegistryCard]:
        try:
            snils, policy = self.snils.open(patient.snils_sealed), self.policies.open(patient.oms_policy_sealed)
        except SealBroken:
            return []
        found = await registry.cards_by_snils(snils) if snils else []
        if not found and policy:
            found = await registry.cards_by_policy(policy)
        return [card for card in found if patient.birth_date is None or card.birth_date == patient.birth_date]

    async def _view(self, patient_id: str) -> CardsView:
        async with self.database.reading() as session:
            patient = await session.get(Patient, patient_id)
            rows = await patient_cards.of_patient(session, patient_id)
        shown = tuple(view_of(row) for row in rows if row.unlinked_at is None)
        return CardsView(shown, patient.cards_fetched_at if patient else None, registry_down=False)

    async def _asked(self, registry: CardRegistry, patient_id: str, policy: str) -> list[RegistryCard]:
        attempt = await self.attempts.count(patient_id, policy)
        try:
            return await registry.cards_by_policy(policy)
        except RegistryUnavailable:
            await self.attempts.take_back(attempt)
            raise


def _parsed(typed_policy: str, typed_birth_date: str, today: date) -> tuple[str, date]:
    refused: dict[str, InvalidInput] = {}
    policy = oms_policy.policy_digits(typed_policy)
    if not policy:
        refused["policy"] = InvalidPolicy()
    born = today
    try:
        born = parse_birth_date(typed_birth_date, today)
    except InvalidBirthDate as error:
        refused["birth_date"] = error
    if refused:
        raise InvalidFields(refused)
    return policy, born
