"""Cards of a person aged 15 or more: their owner is asked, and answers in their own account.

Before the owner agrees, the registry is not asked and nothing of the card is kept. So a request for an existing policy and one for a policy
that does not exist get the same answer, the same records and the same screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from medonline.domain.birth_date import age
from medonline.domain.card_access import MAX_CARDS, REQUEST_LIFE, AccessState, Basis
from medonline.domain.device import UNKNOWN_DEVICE, Device
from medonline.domain.errors import CardAlreadyLinked, ConsentAlreadyAsked, NoSuchRequest, TooManyCards
from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.crypto.field_encryption import SealBroken, Sealer
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import SignedIn
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About, Text, Told
from medonline.services.patient_cards.rows import ADULT_AGE, Whose, shared
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, writes
from medonline.storage.queries import card_access, notices, patient_cards, patients
from medonline.storage.tables.patient_cards import CardAccess, PatientCard
from medonline.storage.tables.patients import Patient

# The owner gets one message per pause, however many people ask. The account's page shows every request, and each message costs money.
ASKED_PAUSE = timedelta(days=1)


class Side(StrEnum):
    """The party whose journal a row is for."""

    ASKER = "asker"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A request of this account that waits for its answer. It shows what was typed, and nothing of a card. Times are UTC."""

    id: str
    policy_masked: str
    birth_date: date
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """A person who asks to see this account's cards, or who has seen them since `at` (UTC). The phone is given by its last two digits."""

    id: str
    full_name: str
    phone_tail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Consents:
    """Everything about consent that an account's page shows."""

    waiting: tuple[WaitingRequest, ...] = ()
    to_answer: tuple[Reader, ...] = ()
    granted: tuple[Reader, ...] = ()


@dataclass(frozen=True, slots=True)
class CardConsent:
    """The use case. `session_key` names the signed-in browser. `policies` seals and indexes policies."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    policies: Sealer
    journal: SecurityJournal
    notices: NoticeService

    async def ask(self, me: SignedIn, policy: str, born: date) -> datetime:
        """Ask the owner of a policy who was born on this day, whether or not they exist. Returns when the request ends (UTC).

        Raises:
            CardAlreadyLinked: the owner has agreed already.
            ConsentAlreadyAsked, TooManyCards: see the errors.
        """
        return await self._ask(me, policy, born)

    async def withdraw(self, session_key: str, access_id: str) -> bool:
        """Take back a request of this account. Returns whether it still waited.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        return await self._withdraw(me, access_id)

    async def grant(self, session_key: str, access_id: str) -> None:
        """Show this account's own cards of the request to the person who asked, until `remove`.

        Raises:
            NotSignedIn: the session is over.
            NoSuchRequest: see the error.
            ToldTooOften, NoticesOverBudget: the owner could not get a notice; nobody sees anything.
        """
        me = await self.sessions.required(session_key)
        await self._grant(me, access_id)

    async def refuse(self, session_key: str, access_id: str) -> None:
        """Answer no. The person who asked gets no message: their page shows the request as waiting until it expires.

        Raises:
            NotSignedIn: the session is over.
            NoSuchRequest: see the error.
        """
        me = await self.sessions.required(session_key)
        await self._refuse(me, access_id)

    async def remove(self, session_key: str, access_id: str) -> bool:
        """«Убрать доступ»: the other account stops seeing this account's cards. False when nothing is granted under that id.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        return await self._remove(me, access_id)

    def give_up(self, session: Session, me: SignedIn) -> None:
        """End those accesses of this account under which it shows no card any more. The caller's transaction holds the account's row."""
        for ended in card_access.end_unused(session, me.patient_id, self.clock()):
            if ended.holder_id is not None:
                self._note(session, JournalEvent.CARD_ACCESS_REMOVED, ended.holder_id, Side.HOLDER)

    def of(self, session: Session, patient_id: str, rows: Sequence[PatientCard]) -> Consents:
        """What an account with these cards sees of requests and accesses."""
        now = self.clock()
        waiting, granted = card_access.shown_to(session, patient_id, now)
        indexes = self._own_indexes(rows)
        to_answer = card_access.asked_of(session, patient_id, indexes, now) if indexes else []
        return Consents(
            tuple(
                WaitingRequest(row.id, self.masked(row.policy_sealed), row.birth_date, row.asked_at, row.expires_at)
                for row in waiting
            ),
            tuple(_reader(row.id, asker, row.asked_at) for row, asker in to_answer),
            tuple(_reader(row.id, asker, row.answered_at or row.asked_at) for row, asker in granted),
        )

    def masked(self, policy_sealed: str) -> str:
        """The last digits of a policy. Empty when its key is gone."""
        try:
            policy = self.policies.open(policy_sealed)
        except SealBroken:
            return ""
        return OmsPolicy(policy).masked if policy else ""

    @writes
    def _ask(self, session: Session, me: SignedIn, policy: str, born: date) -> datetime:
        now, indexes = self.clock(), self.policies.indexes(policy)
        holders = card_access.holders_of(session, indexes, born, me.patient_id)
        held = patients.held(session, {me.patient_id, *holders})
        live = card_access.live_of(session, me.patient_id, indexes, born, now)
        if live is not None and live.state == AccessState.GRANTED:
            raise CardAlreadyLinked
        if live is not None and live.ended_at is None:
            raise ConsentAlreadyAsked(live.expires_at)
        if card_access.taken_of(session, me.patient_id, now) >= MAX_CARDS:
            raise TooManyCards(MAX_CARDS)
        self._note(session, JournalEvent.CARD_ACCESS_ASKED, me.patient_id, Side.ASKER, me.device)
        if live is not None:
            # The request was withdrawn and is asked again. The owner has had a notice, and may have refused.
            live.ended_at = None
            session.add(live)
            return live.expires_at
        row = CardAccess(
            patient_id=me.patient_id,
            policy_sealed=self.policies.seal(policy),
            policy_index=indexes[0],
            birth_date=born,
            state=AccessState.WAITING,
            asked_at=now,
            expires_at=now + REQUEST_LIFE,
        )
        session.add(row)
        for holder in (held[one] for one in holders if one in held):
            self._note(session, JournalEvent.CARD_ACCESS_ASKED, holder.id, Side.HOLDER)
            if not notices.was_told_since(session, holder.id, About.CARD_ASKED, now - ASKED_PAUSE):
                self._tell(session, holder, About.CARD_ASKED, Text.CARD_ASKED)
        return row.expires_at

    @writes
    def _withdraw(self, session: Session, me: SignedIn, access_id: str) -> bool:
        withdrawn = card_access.withdraw(session, access_id, me.patient_id, self.clock())
        if withdrawn:
            self._note(session, JournalEvent.CARD_ACCESS_WITHDRAWN, me.patient_id, Side.ASKER, me.device)
        return withdrawn

    @writes
    def _grant(self, session: Session, me: SignedIn, access_id: str) -> None:
        row, held = self._answer(session, me, access_id, AccessState.GRANTED)
        self._show_to(session, row, patient_cards.of_patient(session, me.patient_id))
        self._note(session, JournalEvent.CARD_ACCESS_GRANTED, me.patient_id, Side.HOLDER, me.device)
        self._note(session, JournalEvent.CARD_ACCESS_GRANTED, row.patient_id, Side.ASKER)
        self._tell(session, held[me.patient_id], About.CARD_GRANTED, Text.CARD_GRANTED)

    @writes
    def _refuse(self, session: Session, me: SignedIn, access_id: str) -> None:
        self._answer(session, me, access_id, AccessState.REFUSED)
        self._note(session, JournalEvent.CARD_ACCESS_REFUSED, me.patient_id, Side.HOLDER, me.device)

    @writes
    def _remove(self, session: Session, me: SignedIn, access_id: str) -> bool:
        granted = session.get(CardAccess, access_id)
        if granted is None or granted.holder_id != me.patient_id:
            return False
        # The other account may be writing these cards at this moment.
        patients.held(session, {me.patient_id, granted.patient_id})
        ended = card_access.end_by_holder(session, access_id, me.patient_id, self.clock())
        if ended is None:
            return False
        self._note(session, JournalEvent.CARD_ACCESS_REMOVED, me.patient_id, Side.HOLDER, me.device)
        self._note(session, JournalEvent.CARD_ACCESS_REMOVED, ended.patient_id, Side.ASKER)
        return True

    def _answer(
        self, session: Session, me: SignedIn, access_id: str, state: AccessState
    ) -> tuple[CardAccess, dict[str, Patient]]:
        asked = session.get(CardAccess, access_id)
        if asked is None:
            raise NoSuchRequest
        held = patients.held(session, {me.patient_id, asked.patient_id})
        indexes = self._own_indexes(patient_cards.of_patient(session, me.patient_id))
        row = card_access.answer(session, access_id, me.patient_id, indexes, state, self.clock())
        if row is None:
            raise NoSuchRequest
        return row, held

    def _show_to(self, session: Session, row: CardAccess, mine: Sequence[PatientCard]) -> None:
        now = self.clock()
        wanted = {row.policy_index, *self._indexes(row.policy_sealed)}
        have = {card.ref: card for card in patient_cards.of_patient(session, row.patient_id)}
        room = max(1, MAX_CARDS - card_access.taken_of(session, row.patient_id, now))
        whose = Whose.CHILD if age(row.birth_date, now.date()) < ADULT_AGE else Whose.OTHER
        fitting = [
            card for card in mine if card.basis == Basis.OWN and card.in_registry and card.policy_index in wanted
        ]
        for card in [one for one in fitting if one.ref not in have or have[one.ref].basis != Basis.OWN][:room]:
            session.add(shared(card, have.get(card.ref), row, whose))

    def _own_indexes(self, rows: Sequence[PatientCard]) -> set[str]:
        sealed = {row.policy_sealed for row in rows if row.basis == Basis.OWN and row.policy_sealed}
        return {index for one in sealed for index in self._indexes(one)}

    def _indexes(self, sealed: str) -> list[str]:
        try:
            return self.policies.indexes(self.policies.open(sealed))
        except SealBroken:
            return []

    def _tell(self, session: Session, holder: Patient, about: About, text: Text) -> None:
        self.notices.put(session, holder.id, Told(holder.phone or "", about, text))

    def _note(
        self, session: Session, event: JournalEvent, patient_id: str, side: Side, device: Device = UNKNOWN_DEVICE
    ) -> None:
        # Each journal keeps the other person's device and network out.
        self.journal.note(session, JournalNote(event, patient_id, device=device, details={"side": side}))


def _reader(access_id: str, asker: Patient, at: datetime) -> Reader:
    name = " ".join(filter(None, (asker.last_name, asker.first_name, asker.patronymic)))
    return Reader(access_id, name, (asker.phone or "")[-2:], at)
