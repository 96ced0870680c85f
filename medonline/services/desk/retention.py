"""Personal data is kept no longer than its purpose needs it (152-ФЗ, article 5, part 7): what is past its time goes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from medonline.metrics import names as metrics
from medonline.services.clock import Clock
from medonline.services.limits.alarms import Alarm
from medonline.services.security_journal.verification import JournalBroken, JournalKeeper
from medonline.storage.engine import Database, writes
from medonline.storage.queries import retention
from medonline.storage.queries.retention import Past

log = logging.getLogger(__name__)

# The limits look back seven days and the step-up thirty (the table in docs/operations.md); one day is to spare.
CODES_NEEDED_FOR = timedelta(days=31)
# A link «это не я» lives so long, and the limit of notices counts the last day.
NOTICES_NEEDED_FOR = timedelta(days=7)
WAITING_NEEDED_FOR = timedelta(days=1)
PACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RetentionService:
    """The use case; how long each kind of row is kept after it is done with."""

    database: Database
    clock: Clock
    codes: timedelta
    sessions: timedelta
    notices: timedelta
    journal: JournalKeeper
    session_idle: timedelta
    session_absolute: timedelta

    async def forget(self) -> dict[str, int]:
        """Delete what is past its time; how many rows by table, tables without any left out."""
        now = self.clock()
        gone: Counter[str] = Counter()
        for past in (
            *retention.waiting(now - WAITING_NEEDED_FOR),
            *retention.codes(now - max(self.codes, CODES_NEEDED_FOR)),
            *retention.sessions(now - self.sessions),
            *retention.notices(now - max(self.notices, NOTICES_NEEDED_FOR)),
        ):
            gone[past.name] += await self._forget_all(past)
        # A session that no one uses any more ends without a word; its token must not outlive it for months.
        seen_before, created_before = now - self.session_idle, now - self.session_absolute
        for past in retention.provider_tokens(now, seen_before=seen_before, created_before=created_before):
            await self._forget_all(past)
        # First: where the log is kept elsewhere, this line shows later that no rows were cut off (`journal verify --known`).
        log.info("The security journal ends with %s", await self.journal.head())
        try:
            gone["security_journal"] = await self.journal.forget()
        except JournalBroken as fault:
            metrics.ALARMS.add(Alarm.JOURNAL_BROKEN)
            log.error(
                "ALARM %s: the security journal is broken, and nothing of it is deleted: %s",
                Alarm.JOURNAL_BROKEN,
                fault,
            )
        return {table: count for table, count in gone.items() if count}

    async def _forget_all(self, past: Past) -> int:
        """Batch by batch; stops where another process does the same."""
        gone = 0
        while keys := await self.database.read(retention.found, past):
            forgotten = await self._forget(past, keys)
            if forgotten is None:
                break
            gone += forgotten
        return gone

    @writes
    def _forget(self, session: Session, past: Past, keys: Sequence[str]) -> int | None:
        """How many went; None when another process forgets."""
        return retention.forget(session, past, keys) if retention.is_ours(session) else None

    async def run(self) -> None:
        """Forget once an hour until cancelled; a database that does not answer is asked again the next hour."""
        while True:
            try:
                if gone := await self.forget():
                    log.info("Past their time and deleted: %s", gone)
            except Exception:
                log.exception("What is past its time could not be deleted")
            await asyncio.sleep(PACE.total_seconds())
