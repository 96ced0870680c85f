"""The e-mail address of the settings is proved by a code that is sent there; until then nothing is ever written to it.

A code and not a link: programs that look through mail open links, and a stranger's press must not prove an address for an account
that is not theirs. The code is typed where the account is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.codes.one_time_code import digits_typed
from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import (
    CodeExpired,
    CodeIncomplete,
    CodeMismatch,
    CodeRefused,
    EmailCodesTooOften,
    NoChangeInProgress,
    ToldTooOften,
)
from medonline.domain.limits import Limit
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import SignedIn
from medonline.services.notices import texts
from medonline.services.notices.email_codes import DIGITS, EmailCodes
from medonline.services.notices.sender import NoticeService
from medonline.services.security_journal.account_pace import full_until
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import account_settings, email_proofs, login, patients
from medonline.storage.tables.email_proofs import EmailProof
from medonline.storage.tables.patients import Patient

# Mail is slow: servers put off what a new sender sends (greylisting).
CODE_LIFE = timedelta(hours=1)
GUESSES = 3
# Whoever asks: nobody's mailbox is filled by accounts of others.
PER_ADDRESS = Limit(5, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class EmailView:
    """What the settings say of the address.

    Attributes:
        address: as it is on record; empty: there is none.
        notices_to: where notices go, when that is another address; empty otherwise.
        offered: whether a code can be sent at all.
        waiting: a code was sent, and is awaited.
    """

    address: str
    proved: bool
    notices_to: str
    offered: bool
    waiting: bool


@dataclass(frozen=True, slots=True)
class EmailProofService:
    """The use case; `session_key` names the signed-in browser."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    notices: NoticeService
    journal: SecurityJournal
    codes: EmailCodes

    async def view(self, session_key: str) -> EmailView:
        """What is on record.

        Raises:
            NotSignedIn: the session is over.
        """
        return await self._view(await self.sessions.required(session_key))

    @reads
    def _view(self, session: Session, me: SignedIn) -> EmailView:
        patient = session.get(Patient, me.patient_id)
        if patient is None:
            raise NoChangeInProgress
        proved = is_proved(patient)
        return EmailView(
            address=patient.email,
            proved=proved,
            notices_to="" if proved else patient.proved_email,
            offered=self.notices.writes_mail,
            waiting=not proved and self._open(session, patient, self.clock()) is not None,
        )

    async def send(self, session_key: str) -> None:
        """Send a code to the address on record; an earlier one ends. Nothing is sent where it is proved, or there is none.

        Raises:
            NotSignedIn: the session is over.
            NoChangeInProgress: there is nothing to prove here.
            EmailCodesTooOften: see there.
        """
        await self._send(await self.sessions.required(session_key), self.clock())

    @writes
    def _send(self, session: Session, me: SignedIn, now: datetime) -> None:
        patient = self._held(session, me)
        if not patient.email or is_proved(patient) or not self.notices.writes_mail:
            raise NoChangeInProgress
        address = EmailAddress(patient.email).key
        times = email_proofs.times_to(session, address, now - PER_ADDRESS.per, PER_ADDRESS.count)
        until = full_until(times, (PER_ADDRESS,), now)
        if until is not None:
            raise EmailCodesTooOften(now, until)
        email_proofs.end(session, patient.id, now)
        try:
            notice_id = self.notices.put_code(session, patient.id, patient.email)
        except ToldTooOften as refusal:
            raise EmailCodesTooOften(now, refusal.until) from None
        session.add(EmailProof(id=notice_id, patient_id=patient.id, email=address, created_at=now))

    async def confirm(self, session_key: str, typed: str) -> None:
        """The code from the mail: notices go to this address from now on.

        Raises:
            NotSignedIn: the session is over.
            CodeRefused: one of its leaves.
        """
        me = await self.sessions.required(session_key)
        digits = digits_typed(typed)
        if len(digits) != DIGITS:
            raise CodeIncomplete(DIGITS)
        # Raised only here, after the commit: a miss that is rolled back would be a free guess.
        refused = await self._judge(me, digits, self.clock())
        if refused is not None:
            raise refused

    @writes
    def _judge(self, session: Session, me: SignedIn, digits: str, now: datetime) -> CodeRefused | None:
        patient = self._held(session, me)
        proof = self._open(session, patient, now)
        if proof is None:
            return CodeExpired()
        if not self.codes.is_of(proof.id, digits):
            proof.misses += 1
            if proof.misses >= GUESSES:
                proof.ended_at = now
            session.add(proof)
            return CodeMismatch(GUESSES - proof.misses)
        email_proofs.end(session, patient.id, now)
        facts: dict[str, object] = {"proved_email": patient.email, "email_proved_at": now}
        account_settings.set_columns(session, patient.id, facts)
        self.journal.note(session, JournalNote(JournalEvent.EMAIL_PROVED, patient.id, device=me.device))
        return None

    def _open(self, session: Session, patient: Patient, now: datetime) -> EmailProof | None:
        """The proof that waits, if it is for the address that is on record now."""
        proof = email_proofs.open_of(session, patient.id, now - CODE_LIFE)
        return proof if proof is not None and proof.email == EmailAddress(patient.email).key else None

    def _held(self, session: Session, me: SignedIn) -> Patient:
        patient = patients.by_id_held(session, me.patient_id)
        if patient is None or not login.is_open(session, me.session_key):
            raise NoChangeInProgress
        return patient


def is_proved(patient: Patient) -> bool:
    """Whether the address on record is the one that notices go to."""
    same = EmailAddress(patient.email).key == EmailAddress(patient.proved_email).key
    return bool(patient.email) and same


def changed(session: Session, notices: NoticeService, patient: Patient, wanted: str, now: datetime) -> None:
    """Another address was saved, within the transaction that saves it: the proved one is told, and stays the one that notices go to
    until the other is proved. Without any address they stop.

    Raises:
        ToldTooOften: the proved address could not be told.
    """
    email_proofs.end(session, patient.id, now)
    for told in texts.of_new_address(patient.phone, patient.proved_email, wanted):
        notices.put(session, patient.id, told)
    if not wanted:
        account_settings.set_columns(session, patient.id, {"proved_email": "", "email_proved_at": None})
