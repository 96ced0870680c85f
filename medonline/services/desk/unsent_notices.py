"""Notices that no phone has got, as an operator sees them and has them sent once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import notices
from medonline.storage.tables.notices import Notice


@dataclass(frozen=True, slots=True)
class UnsentNotices:
    """The use case. fresh_for: a notice that is older is not sent any more; not_by_all: problems with which only a notice that is named
    is sent again."""

    database: Database
    clock: Clock
    journal: SecurityJournal
    fresh_for: timedelta
    not_by_all: frozenset[str]

    @reads
    def newest(self, session: Session, most: int) -> Sequence[Notice]:
        """Those that wait and those that were given up, the newest first."""
        return notices.unsent(session, most)

    @writes
    def resend(self, session: Session, notice_id: str) -> bool:
        """Have one that was given up sent by the portal that serves; False when there is none of this id, or it is too old."""
        now = self.clock()
        patient_id = notices.take_up_again(session, notice_id, now, now - self.fresh_for)
        if patient_id is None:
            return False
        self.journal.note(session, JournalNote(JournalEvent.NOTICE_RESENT, patient_id))
        return True

    @writes
    def resend_all(self, session: Session) -> int:
        """Have all sent now that were given up, or wait to be tried again later; how many. For the hour in which a vendor came back."""
        now = self.clock()
        patients = notices.take_up_all(session, now, now - self.fresh_for, self.not_by_all)
        self.journal.note(session, *(JournalNote(JournalEvent.NOTICE_RESENT, patient_id) for patient_id in patients))
        return len(patients)
