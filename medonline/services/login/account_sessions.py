"""A patient's own sessions: list them, end them, stay in, and prove again who is asking."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.errors import InvalidCredentials, NotSignedIn
from medonline.domain.login import LoginMethod
from medonline.domain.passwords import MAX_LENGTH
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.login.password_login import LoginService, SignedIn
from medonline.services.ports import Hasher
from medonline.services.security_journal import entries
from medonline.services.security_journal.account_pace import Act
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.changes import Ear, session_topic
from medonline.storage.engine import Database, writes
from medonline.storage.queries import login, patients
from medonline.storage.tables.patients import Patient

log = logging.getLogger(__name__)

T = TypeVar("T")

# The length of the part of a token's hash that names a session on a screen. It tells sessions apart and is useless to anybody else.
NUMBER_LENGTH = 16


@dataclass(frozen=True, slots=True)
class SessionView:
    """One signed-in browser. Times are UTC; `network` is the address cut to /24 or /48."""

    number: str
    mine: bool
    method: LoginMethod
    device: str
    network: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long a session lives when nothing happens, and how long it lives at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class AccountSessionService:
    """The use case; `session_key` is the hash of the cookie's token."""

    database: Database
    clock: Clock
    login: LoginService
    hasher: Hasher
    journal: SecurityJournal

    async def required(self, session_key: str) -> SignedIn:
        """The patient who is asking. The session counts as used.

        Raises:
            NotSignedIn: the session is over.
        """
        return await self.required_and(session_key, lambda _session, me, _patient: me)

    async def required_and(self, session_key: str, facts_of: Callable[[Session, SignedIn, Patient], T]) -> T:
        """Like `required`, but returns what `facts_of` reads of the patient in the same transaction, so that one page reads its session
        once.

        Raises:
            NotSignedIn: the session is over.
        """
        answer = await self.login.who_and(session_key, facts_of) if session_key else None
        if answer is None:
            raise _refused()
        return answer

    def required_in(self, session: Session, session_key: str) -> tuple[SignedIn, Patient]:
        """Like `required`, inside a session of the caller, and with the patient's row. It does not count as use.

        Raises:
            NotSignedIn: the session is over.
        """
        found = self.login.who_in(session, session_key) if session_key else None
        if found is None:
            raise _refused()
        return found

    async def everywhere(self, session_key: str) -> list[SessionView]:
        """The live sessions of the patient who asks, the one used last first.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.required(session_key)
        now = self.clock()
        rows = await self.database.read(
            login.open_of,
            me.patient_id,
            seen_after=now - self.login.idle,
            created_after=now - self.login.absolute,
        )
        return [
            SessionView(
                number=row.token_hash[:NUMBER_LENGTH],
                mine=row.token_hash == session_key,
                method=LoginMethod(row.method),
                device=row.device,
                network=row.network,
                created_at=row.created_at,
                last_seen_at=row.last_seen_at,
            )
            for row in rows
        ]

    async def end(self, session_key: str, number: str) -> None:
        """End one session of the patient who asks. A number that belongs to none of their sessions ends nothing.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.required(session_key)
        if len(number) != NUMBER_LENGTH or not number.isalnum():
            return
        await self._end(me, number)

    async def end_others(self, session_key: str) -> int:
        """End every session of the patient except the one that asks. Returns how many ended.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.required(session_key)
        ended = await self._end_others(me)
        return len(ended)

    async def time_left(self, session_key: str) -> TimeLeft | None:
        """How long the session still lives. None when it is over. The question does not count as use."""
        now = self.clock()
        found = await self.database.read(
            login.times_of_live,
            session_key,
            seen_after=now - self.login.idle,
            created_after=now - self.login.absolute,
        )
        if found is None:
            return None
        last_seen_at, created_at = found
        return TimeLeft(last_seen_at + self.login.idle - now, created_at + self.login.absolute - now)

    def when_over(self, session_key: str, act: Callable[[], None]) -> Ear:
        """Call `act` on the event loop when any process ends the session, until the returned ear is closed.

        A session that idles out is not announced.
        """
        return self.database.changes.follow(session_topic(session_key), act)

    async def extend(self, session_key: str) -> TimeLeft | None:
        """«Остаться»: the session counts as used now. None when it is over."""
        if await self.time_left(session_key) is None:
            return None
        await self.database.write(login.record_seen, session_key, self.clock())
        return await self.time_left(session_key)

    async def prove_again(self, client: Client, typed_password: str) -> None:
        """Check the password in force, typed again. Afterwards phone and password may be changed for a while.

        Raises:
            NotSignedIn: the session is over.
            InvalidPassword: nothing was typed, or a character that no password has. It costs no try.
            InvalidCredentials: this is not the password, or the account has none.
            TooManySignIns: nothing was verified.
            ProvedTooOften: the password was right, but the last proof stays as old as it is.
            Busy: too many passwords wait for verification.
        """
        me = await self.required(client.session_key)
        password = self.login.characters.read(typed_password)
        async with self.login.limits.attempt(me.patient_id, client, self.clock(), in_session=True):
            encoded = await self.database.read(patients.password_hash_of, me.patient_id)
            right = await self.hasher.verify(encoded, password[:MAX_LENGTH])
            if not right or encoded is None or len(password) > MAX_LENGTH:
                await self.login.refusals.note(patient_id=me.patient_id, device=me.device)
                raise InvalidCredentials
        await self._note_proof(me)

    @writes
    def _end(self, session: Session, me: SignedIn, number: str) -> None:
        for row in login.end_by_number(session, me.patient_id, number, self.clock()):
            self.journal.note(session, entries.session_ended(row, me.device))

    @writes
    def _end_others(self, session: Session, me: SignedIn) -> list[str]:
        patients.by_id_held(session, me.patient_id)
        ended = login.end_all_of(session, me.patient_id, self.clock(), but=me.session_key)
        if ended:
            what = {"sessions": len(ended)}
            note = JournalNote(JournalEvent.OTHER_SESSIONS_ENDED, me.patient_id, device=me.device, details=what)
            self.journal.note(session, note)
        return ended

    @writes
    def _note_proof(self, session: Session, me: SignedIn) -> None:
        now = self.clock()
        patients.by_id_held(session, me.patient_id)
        self.login.pace.admit(session, me.patient_id, Act.PROOF, now)
        login.record_authenticated(session, me.session_key, now)
        self.journal.note(session, JournalNote(JournalEvent.REAUTHENTICATED, me.patient_id, device=me.device))


def _refused() -> NotSignedIn:
    log.info("A call without a live session was refused")
    return NotSignedIn()
