"""Sign-in with phone and password, and what follows from it: a ticket, a session, and the session's end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.device import Device
from medonline.domain.errors import Busy, InvalidCredentials, LimitReached, SignedInTooOften
from medonline.domain.login import Landing, LoginMethod
from medonline.domain.passwords import MAX_LENGTH, PasswordCharacters
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.metrics import names as metrics
from medonline.services.clock import Clock
from medonline.services.crypto.tokens import token_hash
from medonline.services.limits.networks import cut
from medonline.services.limits.sign_in_limits import SignInLimits
from medonline.services.login.new_devices import NewDevices
from medonline.services.login.tickets import SignIn, add_session, add_ticket
from medonline.services.login.visitors import VisitorService
from medonline.services.security_journal import entries
from medonline.services.security_journal.account_pace import AccountPace, Act
from medonline.services.security_journal.refusals import RefusedSignIns
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.changes import session_topic
from medonline.storage.engine import Database, after_commit, writes
from medonline.storage.queries import login, patients
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.patients import Patient

log = logging.getLogger(__name__)

T = TypeVar("T")

# A session's «last seen» is written no more often than this.
SEEN_EVERY = timedelta(seconds=30)


class Verifier(Protocol):
    """What sign-in needs of password hashing."""

    async def hash(self, password: str) -> str:
        """The encoded hash; raises `Busy`."""

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password belongs to the hash. It takes the same time for None. Raises `Busy`."""

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash should be made again."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """The token of a session, for its cookie, and where the patient goes next.

    `marks`: the marks of the browser from now on (`known_browsers`); empty where they do not change. `somebody_waits`: somebody who came
    from Gosuslugi in this browser still has to answer.
    """

    token: str
    landing: Landing
    marks: str = field(default="", repr=False)
    somebody_waits: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The patient to whom a session belongs. `session_key` is the token's hash: it is safe to keep and compare in memory."""

    session_key: str
    patient_id: str
    full_name: str
    first_name: str
    patronymic: str
    method: LoginMethod
    authenticated_at: datetime
    device: Device

    @property
    def client(self) -> Client:
        """The signed-in browser, as the record knows it: by its session and its device alone."""
        return Client(session_key=self.session_key, device=self.device)


@dataclass(frozen=True, slots=True)
class LoginService:
    """Checks phone and password against the record, and trades tickets for session tokens."""

    database: Database
    clock: Clock
    verifier: Verifier
    limits: SignInLimits
    journal: SecurityJournal
    refusals: RefusedSignIns
    pace: AccountPace
    new_devices: NewDevices
    visitors: VisitorService
    characters: PasswordCharacters
    idle: timedelta
    absolute: timedelta

    async def log_in(self, client: Client, typed_phone: str, typed_password: str) -> str:
        """A ticket (single use, 30 s, this browser only) for the route that sets the session cookie.

        Raises:
            InvalidPhone: this is no Russian mobile number. It says nothing of accounts.
            InvalidPassword: nothing was typed, or a character that no password has. It costs no try, for any number.
            InvalidCredentials: the phone is unknown or the password is wrong. Both take the same time.
            TooManySignIns, SignInsOverloaded: nothing was verified.
            SignedInTooOften: the password was right, but there were too many sign-ins to this account.
            Busy: too many passwords wait for verification.
        """
        patient = await self.verified(client, typed_phone, typed_password)
        return await self._give_ticket(client.visitor_key, patient)

    async def verified(self, client: Client, typed_phone: str, typed_password: str) -> Patient:
        """The patient with this phone and password. Raises the same errors as `log_in`."""
        phone = PhoneNumber.parse(typed_phone)
        password = self.characters.read(typed_password)
        known = await self._known_browser(client.marks, phone.e164) if client.marks else ""
        async with self.limits.attempt(phone.e164, client, self.clock(), known_browser=known):
            patient = await self.database.read(patients.by_phone, phone.e164)
            encoded = patient.password_hash if patient else None
            # A password longer than any that can be set is verified by its beginning nevertheless, so that it takes the same time.
            right = await self.verifier.verify(encoded, password[:MAX_LENGTH])
            if not right or patient is None or encoded is None or len(password) > MAX_LENGTH:
                await self.note_refusal(phone.e164, client.address)
                raise InvalidCredentials
        # The journal must have the earlier misses before this sign-in.
        await self.refusals.flush(phone_indexes=[self.journal.phones.index(phone.e164)])
        if self.verifier.is_outdated(encoded):
            await self._rehash(patient, encoded, password)
        return patient

    async def closed(self, client: Client) -> LimitReached | None:
        """Why nobody can sign in with a password from this network now. None when somebody can. It reveals no account and costs no try."""
        return await self.limits.closed(client, self.clock())

    async def _known_browser(self, marks: str, phone: str) -> str:
        """The name of the browser for this number. It is looked up for every number, whether it has an account or not."""
        patient_id, version = await self.database.read(patients.password_of, phone)
        return self.new_devices.known.name_in(marks, patient_id, version, self.clock())

    async def open_session(self, client: Client, ticket: str) -> OpenedSession | None:
        """Trade a ticket for a new session. None when the ticket is not valid (any more).

        Everything else that was begun in this browser ends.
        """
        patient_id = await self.database.read(login.ticket_of, token_hash(ticket))
        if patient_id is None:
            return None  # anybody may post here: a text that is no ticket costs no lock
        opened = await self._trade(client, ticket, patient_id)
        if opened is not None and opened.somebody_waits:
            await self.visitors.leave(client.visitor_key)
        return opened

    async def who(self, session_key: str) -> SignedIn | None:
        """Who is signed in with this session key (the hash of the cookie's token). It notes that the session is used."""
        return await self.who_and(session_key, lambda _session, me, _patient: me)

    async def who_and(self, session_key: str, facts_of: Callable[[Session, SignedIn, Patient], T]) -> T | None:
        """Like `who`, but returns what `facts_of` reads of the patient in the same transaction."""
        now = self.clock()
        found = await self.database.read(self._live_and, session_key, now, facts_of)
        if found is None:
            return None
        last_seen_at, answer = found
        if now - last_seen_at > SEEN_EVERY:
            await self.database.write(login.record_seen, session_key, now)
        return answer

    def who_in(self, session: Session, session_key: str) -> tuple[SignedIn, Patient] | None:
        """Like `who`, inside a session of the caller, and with the patient's row. It does not note that the session is used."""
        found = self._live(session, session_key, self.clock())
        return None if found is None else (_signed_in(*found), found[1])

    def _live_and(
        self, session: Session, session_key: str, now: datetime, facts_of: Callable[[Session, SignedIn, Patient], T]
    ) -> tuple[datetime, T] | None:
        found = self._live(session, session_key, now)
        return None if found is None else (found[0].last_seen_at, facts_of(session, _signed_in(*found), found[1]))

    def _live(self, session: Session, session_key: str, now: datetime) -> tuple[AccountSession, Patient] | None:
        return login.live(session, session_key, seen_after=now - self.idle, created_after=now - self.absolute)

    async def close_session(
        self, session_key: str, why: JournalEvent = JournalEvent.SIGNED_OUT
    ) -> login.EndedSession | None:
        """Sign out: end the session on the server. The cookie that the browser still has opens nothing.

        Returns the session that ended, or None when it was over already. The identity provider's token is deleted from the record: the
        returned value holds its last copy.
        """
        ended = None
        # Anybody may post any cookie: one that names no open session costs no lock.
        if await self.database.read(login.is_open, session_key):
            ended = await self._end(session_key, why)
        else:
            # A page that does not know of the end may still be open.
            self.database.changes.tell([session_topic(session_key)])
        return ended

    async def marks_after(self, ended: login.EndedSession, marks: str) -> str:
        """The marks of a browser that has signed out. It stays known under the password in force, which may have been changed in it."""
        version = await self.database.read(patients.password_version_of, ended.row.patient_id)
        if version is None:
            return marks  # the account was erased meanwhile
        return self.new_devices.known.with_mark(marks, ended.row.patient_id, version, self.clock())

    async def note_refusal(self, phone: str, client_ip: str) -> None:
        """Write a wrong password into the journal. Every number (E.164) gets the same row, known or unknown (I8)."""
        metrics.SIGN_INS.add(LoginMethod.PASSWORD, "wrong")
        await self.refusals.note(phone=phone, device=Device(network=cut(client_ip)))

    @writes
    def _give_ticket(self, session: Session, visitor_key: str, patient: Patient) -> str:
        now = self.clock()
        self.pace.admit(session, patient.id, Act.SIGN_IN, now)
        return add_ticket(session, visitor_key, SignIn(patient, LoginMethod.PASSWORD, now), now)

    @writes
    def _trade(self, session: Session, client: Client, ticket: str, patient_id: str) -> OpenedSession | None:
        now = self.clock()
        # The patient is held: a password change that began meanwhile waits, and then ends this session with the others. The patient comes
        # before the ticket (lock order: `storage.engine`), because whoever holds the patient may delete tickets.
        patient = patients.by_id_held(session, patient_id)
        taken = login.take_ticket(session, token_hash(ticket), client.visitor_key, now)
        if taken is None:
            return None
        # A password change between the sign-in and this moment ends this sign-in, too (I3).
        if patient is None or patient.password_version != taken.password_version:
            return None
        if taken.method == LoginMethod.PASSWORD and patient.password_hash is None:
            return None  # «это не я» has taken the account out of use meanwhile
        try:
            self.pace.admit(session, patient.id, Act.SIGN_IN, now)
        except SignedInTooOften:
            log.warning("A ticket is not good any more: its account was signed in to too often meanwhile")
            return None
        sign_in = SignIn(
            patient,
            LoginMethod(taken.method),
            taken.authenticated_at,
            Landing(taken.landing),
            taken.provider_token_sealed,
        )
        if taken.provider_token_sealed:
            login.forget_token_of_ticket(session, taken.ticket_hash)
        self.journal.note(session, entries.signed_in(patient.id, sign_in.method, client.device))
        after_commit(session, partial(metrics.SIGN_INS.add, sign_in.method, "opened"))
        opened = OpenedSession(
            add_session(session, sign_in, client.device, now),
            sign_in.landing,
            somebody_waits=self.visitors.leave_recoveries(session, client.visitor_key, now),
        )
        return replace(opened, marks=self.new_devices.note(session, client, sign_in, now))

    @writes
    def _end(self, session: Session, session_key: str, why: JournalEvent) -> login.EndedSession | None:
        ended = login.end(session, session_key, self.clock())
        if ended is not None:
            self.journal.note(session, entries.left(ended.row, why))
        return ended

    async def _rehash(self, patient: Patient, encoded: str, password: str) -> None:
        try:
            fresh = await self.verifier.hash(password)
        except Busy:
            return  # another time: a right password must not be refused because of a newer hash
        if await self.database.write(patients.replace_hash, patient.id, encoded, fresh):
            # So that a later comparison does not take the newer hash for another password.
            patient.password_hash = fresh


def _signed_in(account_session: AccountSession, patient: Patient) -> SignedIn:
    return SignedIn(
        session_key=account_session.token_hash,
        patient_id=patient.id,
        full_name=" ".join(part for part in (patient.last_name, patient.first_name, patient.patronymic) if part),
        first_name=patient.first_name,
        patronymic=patient.patronymic,
        method=LoginMethod(account_session.method),
        authenticated_at=account_session.authenticated_at,
        device=Device(account_session.device, account_session.network),
    )
