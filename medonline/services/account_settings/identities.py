"""Accounts at Gosuslugi in the settings: which ones open the account, since when and why, and removing one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.errors import LastWayIn, NoChangeInProgress, ReauthenticationNeeded
from medonline.domain.gosuslugi import LinkedHow, UnlinkedWhy
from medonline.services.clock import Clock
from medonline.services.linked_identities import number_of, unlink
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import SignedIn
from medonline.services.notices import texts
from medonline.services.notices.sender import NoticeService
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database, writes
from medonline.storage.queries import gosuslugi, login, patients


@dataclass(frozen=True, slots=True)
class IdentityView:
    """One account at Gosuslugi that opens the account. Times are UTC."""

    number: str
    how: LinkedHow
    linked_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class OwnIdentities:
    """The use case; `session_key` names the signed-in browser."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    notices: NoticeService
    journal: SecurityJournal
    reauthentication_window: timedelta

    async def all(self, session_key: str) -> tuple[IdentityView, ...]:
        """The identities that open the account, the one linked first comes first.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        rows = await self.database.read(gosuslugi.of_patient, me.patient_id)
        return tuple(IdentityView(number_of(row), LinkedHow(row.how), row.linked_at, row.last_used_at) for row in rows)

    async def unlink(self, session_key: str, number: str) -> int:
        """Remove an identity, together with the data that only its proof vouched for. Returns how many sessions ended.

        Every other session through Gosuslugi ends, because the record does not say which identity opened it.

        Raises:
            NotSignedIn: the session is over.
            ReauthenticationNeeded: the last proof of who is asking is too old.
            NoSuchIdentity: it does not exist (any more), or belongs to another account.
            LastWayIn: see the error.
            ToldTooOften, NoticesOverBudget: the owner could not get a notice; nothing was removed.
        """
        me = await self.sessions.required(session_key)
        now = self.clock()
        if now - me.authenticated_at > self.reauthentication_window:
            raise ReauthenticationNeeded
        ended = await self._unlink(me, number, now)
        return len(ended)

    @writes
    def _unlink(self, session: Session, me: SignedIn, number: str, now: datetime) -> list[str]:
        patient = patients.by_id_held(session, me.patient_id)
        if patient is None or not login.is_open(session, me.session_key):
            raise NoChangeInProgress
        rows = gosuslugi.of_patient(session, patient.id)
        is_last = [number_of(row) for row in rows] == [number]
        if is_last and (patient.phone is None or patient.password_hash is None):
            raise LastWayIn
        ended = unlink(session, self.journal, rows, number, UnlinkedWhy.SETTINGS, now, me.client)
        for told in texts.of_unlink(patient.phone):
            self.notices.put(session, patient.id, told)
        return ended
