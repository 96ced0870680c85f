"""«Мои карты» (guide G10): the registry's cards of an account, from its last good answer when the registry is down.

The account's own cards are found by СНИЛС or by the policy that the identity provider reported. Cards that the registry has under the name
of the account's owner are found by policy and birth date. A card of a child under 15 is added by the statement of its legal representative.
Everybody else is asked for consent (`consent`). Everything is within the limits of `attempts`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from medonline.domain.birth_date import parse_birth_date
from medonline.domain.card_access import MAX_CARDS, Basis, is_child, is_shown
from medonline.domain.errors import (
    CardAlreadyLinked,
    CardNotFound,
    CardUnreadable,
    InvalidBirthDate,
    InvalidFields,
    InvalidInput,
    InvalidPolicy,
    NoSuchRequest,
    RegistryUnavailable,
    StatementMissing,
    TooManyCards,
)
from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.crypto.field_encryption import SealBroken, Sealer
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import SignedIn
from medonline.services.patient_cards.attempts import CardAttempts
from medonline.services.patient_cards.consent import CardConsent, Consents
from medonline.services.patient_cards.rows import (
    CardView,
    ClosedCard,
    OwnNumbers,
    closed,
    closed_view_of,
    contradicts,
    filled,
    is_own,
    is_shown_today,
    relinked,
    view_of,
)
from medonline.services.ports import CardRegistry, FoundCards, RegistryCard
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import card_access, patient_cards, patients
from medonline.storage.tables.patient_cards import CardAttempt, PatientCard
from medonline.storage.tables.patients import Patient

log = logging.getLogger(__name__)

FRESH_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CardsView:
    """The cards of an account.

    fetched_at: when the registry last gave a good answer (UTC).
    registry_down: that answer is not of now, because the registry does not answer.
    incomplete: that answer had records that could not be read.
    wait: «Обновить» was pressed too soon, and may be pressed again after this time.
    closed: cards that were shown and are not shown any more.
    """

    cards: tuple[CardView, ...]
    fetched_at: datetime | None
    registry_down: bool
    incomplete: bool = False
    wait: timedelta = timedelta()
    closed: tuple[ClosedCard, ...] = ()
    consents: Consents = field(default_factory=Consents)


@dataclass(frozen=True, slots=True)
class LinkedCards:
    """What linking added. `doubtful_policy`: the registry has the number although its check digit is wrong."""

    count: int
    doubtful_policy: bool


@dataclass(frozen=True, slots=True)
class AskedConsent:
    """The owner of the policy, if there is one, is asked. The answer does not say whether there is one.

    Attributes:
        until: when the request ends without an answer (UTC).
        no_birth_date: the account has no birth date on record, so no card can be recognised as its owner's.
        maybe_own: the typed birth date equals the account's, but the registry has no card of its owner with this policy.
    """

    until: datetime
    no_birth_date: bool
    maybe_own: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the registry said `at` (UTC), by the cards' references. `incomplete`: something could not be read.

    own: the account's own cards.
    fresh: all cards that the registry has of these and of the `linked` ones, without those that could not be read.
    linked: the cards that were linked when the registry was asked.
    unread: cards that the registry has but that could not be read.
    """

    own: Mapping[str, RegistryCard]
    fresh: Mapping[str, RegistryCard]
    linked: Sequence[str]
    unread: Collection[str]
    incomplete: bool
    at: datetime


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
    consent: CardConsent

    @reads
    def kept(self, session: Session, session_key: str) -> CardsView:
        """The cards on record here. It asks nobody, and does not count as use of the session.

        Raises:
            NotSignedIn: the session is over.
        """
        me, patient = self.sessions.required_in(session, session_key)
        return self._view_of(session, me.patient_id, patient)

    async def opened(self, session_key: str) -> tuple[SignedIn, CardsView]:
        """The patient who opens the page, and the cards on record, read in one transaction. It asks nobody else. The session counts as
        used.

        Raises:
            NotSignedIn: the session is over.
        """
        return await self.sessions.required_and(
            session_key, lambda session, me, patient: (me, self._view_of(session, patient.id, patient))
        )

    async def current(self, session_key: str, *, ask_again: bool = False) -> CardsView:
        """The cards as the registry has them now, or as it had them when it last answered.

        The registry is asked when its last answer is older than 10 minutes, or when the patient wants it (`ask_again`). Within the limits
        of `attempts` it is asked once for the account's own cards, and once for each other card.

        Raises:
            NotSignedIn: the session is over.
        """
        asked_at = self.clock()
        found = await self.sessions.required_and(
            session_key,
            lambda session, _me, patient: self._view_or_question(session, patient, asked_at, ask_again=ask_again),
        )
        if isinstance(found, CardsView):
            return found
        registry, patient = found
        if not await self.attempts.begin_refresh(patient.id, asked_at, pressed=ask_again):
            wait = await self.attempts.refresh_wait(patient.id) if ask_again else timedelta()
            return replace(await self._view(patient.id), wait=wait)
        try:
            return await self._fetch(registry, patient)
        except RegistryUnavailable as error:
            log.warning("The registry of cards gives no good answer: %s", error)
            if ask_again:
                await self.attempts.refresh_failed(patient.id, asked_at)
            return replace(await self._view(patient.id), registry_down=True)

    async def link(
        self, session_key: str, typed_policy: str, typed_birth_date: str, *, representative: bool = False
    ) -> LinkedCards | AskedConsent:
        """Add the cards of the person who has this policy and was born on this day.

        A patient's own card is added at once. A card of a child under 15 needs the statement to be its legal `representative`. Anybody else
        is asked for consent.

        Raises:
            NotSignedIn: the session is over.
            InvalidFields: the policy or the date is invalid, or the statement is missing for a child's card.
            CardNotFound, CardAlreadyLinked, ConsentAlreadyAsked, TooManyCards: see the errors.
            RateLimited: too many attempts by this account, or at this policy.
            RegistryUnavailable: the registry cannot be asked now.
            CardUnreadable: the registry has a record for this policy that cannot be read.
        """
        me = await self.sessions.required(session_key)
        today = self.clock().date()
        policy, born = _parsed(typed_policy, typed_birth_date, today)
        if self.registry is None:
            raise RegistryUnavailable("no registry is configured")
        patient = await self.database.read(_patient, me.patient_id)
        own_birth_date = patient.birth_date if patient else None
        child = is_child(born, today)
        if child and not representative and born != own_birth_date:
            raise InvalidFields({"representative": StatementMissing()})
        attempt = await self.attempts.count(me.patient_id, policy)
        numbers = self._numbers_of(patient) if patient else OwnNumbers()
        if patient is None or not (child or born == own_birth_date or policy == numbers.policy):
            return AskedConsent(await self.consent.ask(me, policy, born), own_birth_date is None, maybe_own=False)
        found = await self._asked(self.registry, attempt, policy)
        fitting = [card for card in found.cards if card.birth_date == born]
        own = [card for card in found.cards if card.birth_date in (born, None) and is_own(patient, card, numbers)]
        if own:
            return await self._add(me, own, Basis.OWN, policy)
        if found.left_out and not fitting:
            raise CardUnreadable
        if not child:
            until = await self.consent.ask(me, policy, born)
            return AskedConsent(until, own_birth_date is None, maybe_own=own_birth_date is not None)
        if not fitting or not representative:
            refused = JournalNote(JournalEvent.CARD_REFUSED, me.patient_id, device=me.device)
            await self.database.write(self.journal.note, refused)
            raise CardNotFound
        return await self._add(me, fitting, Basis.REPRESENTATIVE, policy)

    async def ask_again(self, session_key: str, card_id: str) -> datetime:
        """Ask the owner of a card that was closed because they turned 15. Returns when the request ends (UTC).

        Raises:
            NotSignedIn: the session is over.
            NoSuchRequest: the account has no such card, or its policy is not on record.
            CardAlreadyLinked, ConsentAlreadyAsked, TooManyCards, RateLimited: see the errors.
        """
        me = await self.sessions.required(session_key)
        row = await self.database.read(patient_cards.one_of, me.patient_id, card_id)
        if row is None or row.birth_date is None or is_shown(row.basis, row.birth_date, self.clock().date()):
            raise NoSuchRequest
        policy = _opened(self.policies, row.policy_sealed)
        if not policy:
            raise NoSuchRequest
        await self.attempts.count(me.patient_id, policy)
        until = await self.consent.ask(me, policy, row.birth_date)
        await self.database.write(patient_cards.unlink, me.patient_id, card_id, self.clock())
        return until

    async def unlink(self, session_key: str, card_id: str) -> bool:
        """Take a card off the list. It can be linked again. False when the account has no such card.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        return await self._unlink(me, card_id)

    @writes
    def _unlink(self, session: Session, me: SignedIn, card_id: str) -> bool:
        patients.by_id_held(session, me.patient_id)
        unlinked = patient_cards.unlink(session, me.patient_id, card_id, self.clock())
        if unlinked:
            self.journal.note(session, JournalNote(JournalEvent.CARD_REMOVED, me.patient_id, device=me.device))
            self.consent.give_up(session, me)
        return unlinked

    @writes
    def _add(
        self, session: Session, me: SignedIn, found: Sequence[RegistryCard], basis: Basis, policy: str
    ) -> LinkedCards:
        now = self.clock()
        patient = patients.by_id_held(session, me.patient_id)
        have = {card.ref: card for card in patient_cards.of_patient(session, me.patient_id)}
        there = {ref for ref, row in have.items() if row.unlinked_at is None and is_shown_today(row, now)}
        added = [card for card in found if card.ref not in there]
        if not added or patient is None:
            raise CardAlreadyLinked
        new = sum(card.ref not in have or have[card.ref].unlinked_at is not None for card in added)
        if card_access.taken_of(session, me.patient_id, now) + new > MAX_CARDS:
            raise TooManyCards(MAX_CARDS)
        for card in added:
            row = relinked(filled(have.get(card.ref), patient, card, now, self.policies, basis))
            row.stated_at = now if basis is Basis.REPRESENTATIVE else None
            row.access_id = None
            session.add(row)
        what: dict[str, str | int] = {"cards": len(added), "basis": basis}
        self.journal.note(session, JournalNote(JournalEvent.CARD_ADDED, patient.id, device=me.device, details=what))
        return LinkedCards(len(added), not OmsPolicy(policy).has_right_check_digit)

    async def _fetch(self, registry: CardRegistry, patient: Patient) -> CardsView:
        found = await self._own_cards(registry, patient)
        own = {card.ref: card for card in found.cards}
        rows = await self.database.read(patient_cards.of_patient, patient.id)
        now = self.clock()
        linked = [row.ref for row in rows if row.unlinked_at is None and is_shown_today(row, now)]
        fresh, unread = dict(own), set()
        for ref in linked:
            if ref not in fresh:
                one = await registry.card(ref)
                fresh |= {card.ref: card for card in one.cards}
                unread |= {ref} if one.left_out else set()
        incomplete = bool(found.left_out or unread)
        answer = _Answer(own=own, fresh=fresh, linked=linked, unread=unread, incomplete=incomplete, at=now)
        return await self._keep(patient, answer)

    @writes
    def _keep(self, session: Session, patient: Patient, answer: _Answer) -> CardsView:
        # This comes first, because it locks the patient.
        held = patient_cards.record_fetched(session, patient.id, answer.at, incomplete=answer.incomplete)
        have = {card.ref: card for card in patient_cards.of_patient(session, patient.id)}
        for card in answer.fresh.values() if held else ():
            if card.ref in answer.own or card.ref in have:  # a card that was taken away meanwhile does not come back
                basis = Basis.OWN if card.ref in answer.own else None
                session.add(filled(have.get(card.ref), patient, card, answer.at, self.policies, basis))
        for ref in answer.linked:
            if ref not in answer.fresh and ref not in answer.unread and ref in have:
                have[ref].in_registry = False
                session.add(have[ref])
        for row in have.values():
            if not is_shown_today(row, answer.at):
                session.add(closed(row))
        # Where no card is written, the rows in hand equal the record, in its order.
        rows = None if session.new or session.dirty else list(have.values())
        view = self._view_of(session, patient.id, None, rows)
        return replace(view, fetched_at=answer.at, incomplete=answer.incomplete) if held else view

    async def _own_cards(self, registry: CardRegistry, patient: Patient) -> FoundCards:
        numbers = self._numbers_of(patient)
        found = await registry.cards_by_snils(numbers.snils) if numbers.snils else FoundCards()
        if not found.cards and numbers.policy:
            by_policy = await registry.cards_by_policy(numbers.policy)
            found = replace(by_policy, left_out=by_policy.left_out + found.left_out)
        return replace(found, cards=tuple(card for card in found.cards if not contradicts(patient, card)))

    def _view_or_question(
        self, session: Session, patient: Patient, now: datetime, *, ask_again: bool
    ) -> CardsView | tuple[CardRegistry, Patient]:
        """The cards on record, if nothing more is needed. Otherwise the registry to ask, and the patient to ask about."""
        fetched_at = patient.cards_fetched_at
        is_fresh = fetched_at is not None and now - fetched_at < FRESH_FOR
        if self.registry is None or (is_fresh and not ask_again):
            return self._view_of(session, patient.id, patient)
        return self.registry, patient

    @reads
    def _view(self, session: Session, patient_id: str) -> CardsView:
        return self._view_of(session, patient_id, _patient(session, patient_id))

    def _view_of(
        self, session: Session, patient_id: str, patient: Patient | None, read: Sequence[PatientCard] | None = None
    ) -> CardsView:
        """What the screen shows. `read`: the account's cards, where the caller has read them."""
        rows = patient_cards.of_patient(session, patient_id) if read is None else read
        consents = self.consent.of(session, patient_id, rows)
        now = self.clock()
        listed = [row for row in rows if row.unlinked_at is None]
        return CardsView(
            cards=tuple(view_of(row) for row in listed if is_shown_today(row, now)),
            fetched_at=patient.cards_fetched_at if patient else None,
            registry_down=False,
            incomplete=patient.cards_incomplete if patient else False,
            closed=tuple(closed_view_of(row) for row in listed if not is_shown_today(row, now)),
            consents=consents,
        )

    def _numbers_of(self, patient: Patient) -> OwnNumbers:
        """The owner's numbers. A number whose key is gone is unknown."""
        return OwnNumbers(_opened(self.snils, patient.snils_sealed), _opened(self.policies, patient.oms_policy_sealed))

    async def _asked(self, registry: CardRegistry, attempt: CardAttempt, policy: str) -> FoundCards:
        try:
            return await registry.cards_by_policy(policy)
        except RegistryUnavailable:
            await self.attempts.take_back(attempt)
            raise


def _opened(sealer: Sealer, sealed: str) -> str:
    try:
        return sealer.open(sealed)
    except SealBroken:
        return ""


def _patient(session: Session, patient_id: str) -> Patient | None:
    return session.get(Patient, patient_id)


def _parsed(typed_policy: str, typed_birth_date: str, today: date) -> tuple[str, date]:
    refused: dict[str, InvalidInput] = {}
    policy, born = "", today
    try:
        policy = OmsPolicy.parse(typed_policy).digits
    except InvalidPolicy as error:
        refused["policy"] = error
    try:
        born = parse_birth_date(typed_birth_date, today)
    except InvalidBirthDate as error:
        refused["birth_date"] = error
    if refused:
        raise InvalidFields(refused)
    return policy, born
