"""Personal data is kept no longer than its purpose needs it (152-ФЗ, article 5, part 7): what is past its time goes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from medonline.services.clock import Clock
from medonline.services.security_journal.verification import JournalBroken, JournalKeeper
from medonline.storage.engine import Database
from medonline.storage.queries import login, personal_data

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
        for forget, keep in (
            (personal_data.forget_waiting, WAITING_NEEDED_FOR),
            (personal_data.forget_codes, max(self.codes, CODES_NEEDED_FOR)),
            (personal_data.forget_sessions, self.sessions),
            (personal_data.forget_notices, max(self.notices, NOTICES_NEEDED_FOR)),
        ):
            gone.update(await self.database.write(forget, now - keep))
        # A session that nobody uses any more ends without a word; its token must not outlive it for months.
        seen_before, created_before = now - self.session_idle, now - self.session_absolute
        await self.database.write(login.forget_tokens, now, seen_before=seen_before, created_before=created_before)
        # First: where the log is kept elsewhere, this line shows later that no rows were cut off (`journal verify --known`).
        log.info("The security journal ends with %s", await self.journal.head())
        try:
            gone["security_journal"] = await self.journal.forget()
        except JournalBroken as fault:
            log.error("ALARM the security journal is broken, and nothing of it is deleted: %s", fault)
        return {table: count for table, count in gone.items() if count}

    async def run(self) -> None:
        """Forget once an hour until cancelled; a database that does not answer is asked again the next hour."""
        while True:
            try:
                if gone := await self.forget():
                    log.info("Past their time and deleted: %s", gone)
            except Exception:
                log.exception("What is past its time could not be deleted")
            await asyncio.sleep(PACE.total_seconds())
