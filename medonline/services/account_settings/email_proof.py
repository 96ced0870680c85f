"""A code that is sent to the e-mail address of the settings proves the address. Until then no other mail is sent there.

It is a code and not a link, because programs that look through mail open links. A stranger's click must not prove an address for an account
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
    ReauthenticationNeeded,
    ToldTooOften,
)
from medonline.domain.limits import Limit
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import SignedIn
from medonline.services.notices import texts
from medonline.services.notices.email_codes import CODE_LIFE, DIGITS, EmailCodes
from medonline.services.notices.sender import MailState, NoticeService, mail_state
from medonline.services.security_journal.account_pace import full_until
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import account_settings, email_proofs, login, patients
from medonline.storage.tables.email_proofs import EmailProof
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient

GUESSES = 3
DOUBLE_PRESS = timedelta(seconds=1)
# The limit of one address, whoever asks, so that other people's accounts cannot fill a mailbox.
PER_ADDRESS = Limit(5, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class EmailView:
    """What the settings say of the address.

    Attributes:
        address: the address on record; empty: there is none.
        notices_to: where notices go, if that is another address; empty otherwise.
        offered: whether a code can be sent at all.
        waiting: whether a code was asked for and is awaited.
        mail: the state of the mail with the code; None where none is awaited.
    """

    address: str
    proved: bool
    notices_to: str
    offered: bool
    waiting: bool
    mail: MailState | None


@dataclass(frozen=True, slots=True)
class EmailProofService:
    """The use case; `session_key` names the signed-in browser."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    notices: NoticeService
    journal: SecurityJournal
    codes: EmailCodes
    reauthentication_window: timedelta

    async def view(self, session_key: str) -> EmailView:
        """What the record says of the address.

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
        waiting = None if proved else self._open(session, patient, self.clock())
        mail = session.get(Notice, waiting.id) if waiting else None
        return EmailView(
            address=patient.email,
            proved=proved,
            notices_to="" if proved else patient.proved_email,
            offered=self.notices.writes_mail,
            waiting=waiting is not None,
            mail=mail_state(mail) if mail else None,
        )

    async def send(self, session_key: str) -> None:
        """Send a code to the address on record; an earlier code ends.

        It sends nothing for a proved address or without an address, nor for the second press of two: then the code of the first stays
        valid.

        Raises:
            NotSignedIn: the session is over.
            NoChangeInProgress: there is nothing to prove here.
            ReauthenticationNeeded: the last proof of who is asking is too old.
            InvalidEmail: the address came from elsewhere, and mail cannot reach it.
            EmailCodesTooOften: see the error.
        """
        me, now = await self.sessions.required(session_key), self.clock()
        # Whoever reads the notices can take the account out of use with «это не я».
        if now - me.authenticated_at > self.reauthentication_window:
            raise ReauthenticationNeeded
        await self._send(me, now)

    @writes
    def _send(self, session: Session, me: SignedIn, now: datetime) -> None:
        patient = self._held(session, me)
        if not patient.email or is_proved(patient) or not self.notices.writes_mail:
            raise NoChangeInProgress
        address = EmailAddress.parse(patient.email).key
        waiting = self._open(session, patient, now)
        if waiting is not None and now - waiting.created_at < DOUBLE_PRESS:
            return
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
        """Accept the code from the mail: from now on notices go to this address. The phone and the previous address get a notice.

        Raises:
            NotSignedIn: the session is over.
            CodeRefused: one of its leaves.
            ToldTooOften, NoticesOverBudget: the owner could not get a notice. The code stays valid.
        """
        me = await self.sessions.required(session_key)
        digits = digits_typed(typed)
        if len(digits) != DIGITS:
            raise CodeIncomplete(DIGITS)
        # The refusal is raised only here, after the commit: a miss that is rolled back would be a free guess.
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
        self.notices.put(session, patient.id, texts.of_proved_address(patient.phone))
        # This comes after the notice: by its time «это не я» knows that the notice is about this address.
        facts: dict[str, object] = {"proved_email": patient.email, "email_proved_at": self.clock()}
        account_settings.set_columns(session, patient.id, facts)
        self.journal.note(session, JournalNote(JournalEvent.EMAIL_PROVED, patient.id, device=me.device))
        return None

    def _open(self, session: Session, patient: Patient, now: datetime) -> EmailProof | None:
        """The proof that waits, if it is for the address on record."""
        proof = email_proofs.open_of(session, patient.id, now - CODE_LIFE)
        return proof if proof is not None and proof.email == EmailAddress(patient.email).key else None

    def _held(self, session: Session, me: SignedIn) -> Patient:
        patient = patients.by_id_held(session, me.patient_id)
        if patient is None or not login.is_open(session, me.session_key):
            raise NoChangeInProgress
        return patient


def is_proved(patient: Patient) -> bool:
    """Whether notices go to the address on record."""
    same = EmailAddress(patient.email).key == EmailAddress(patient.proved_email).key
    return bool(patient.email) and same


def changed(session: Session, notices: NoticeService, patient: Patient, wanted: str, now: datetime) -> None:
    """Tell the proved address that another one was saved, within the transaction that saves it. Without any address, notices by mail stop.

    Notices go on to the proved address until the new one is proved.

    Raises:
        ToldTooOften: the proved address could not get a notice.
    """
    email_proofs.end(session, patient.id, now)
    for told in texts.of_new_address(patient.phone, patient.proved_email, wanted):
        notices.put(session, patient.id, told)
    if not wanted:
        account_settings.set_columns(session, patient.id, {"proved_email": "", "email_proved_at": None})
