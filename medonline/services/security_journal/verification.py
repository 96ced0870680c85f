"""Care of the security journal: check that it is whole, export all of it for an operator, and delete rows that are past their time."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlmodel import Session

from medonline.domain.security_journal import GENESIS, details_of
from medonline.services.clock import Clock
from medonline.services.security_journal.chain import JournalChain
from medonline.storage.engine import Database, writes
from medonline.storage.queries import security_journal
from medonline.storage.tables.security_journal import JournalCheckpoint, JournalEntry

BATCH = 1000
FORGET_BATCH = 200  # deleting these takes milliseconds; every writer waits meanwhile
KEPT_AT_LEAST = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Examined:
    """The result of checking the whole journal. `fault` is an English sentence, empty when the chain is whole.

    skipped: the known row was deleted because its time was over, so it could not be compared.
    """

    rows: int
    head: security_journal.Head
    fault: str = ""
    skipped: bool = False


class JournalBroken(Exception):
    """Raised so that nothing is deleted from a changed journal: a checkpoint in place of changed rows would hide the change."""


@dataclass(frozen=True, slots=True)
class JournalKeeper:
    """The use case of an operator. `keep`: how long rows stay, never less than half a year."""

    database: Database
    clock: Clock
    chain: JournalChain
    keep: timedelta

    async def examine(self, known: security_journal.Head | None = None) -> Examined:
        """Check every row. `known`: the number and hash of a row that was once the last. It must still be there, or be past its time.

        Nothing else shows that rows were cut off at the end.

        Raises:
            SQLAlchemyError: passed on from the database.
        """
        while True:
            marks = await self.database.read(security_journal.checkpoints)
            found = await self._examine(marks, known)
            if not found.fault or len(await self.database.read(security_journal.checkpoints)) == len(marks):
                return found
            # Rows that seemed to be missing may have been deleted meanwhile, because their time was over.

    @writes
    def record(self, session: Session, found: Examined) -> None:
        """Record the result and the time of this check, for monitoring."""
        security_journal.record_examination(session, at=self.clock(), rows=found.rows, whole=not found.fault)

    async def _examine(self, marks: Sequence[JournalCheckpoint], known: security_journal.Head | None) -> Examined:
        head, met = security_journal.Head(0, GENESIS), known is None
        for mark in marks:
            fault = self._fault_of_checkpoint(mark, head)
            head = security_journal.Head(mark.seq, mark.hash)
            if fault:
                return Examined(0, head, fault)
            if known is not None and known.seq == mark.seq:
                met = True
                if known.hash != mark.hash:
                    return Examined(0, head, f"Row {known.seq} was not the one that was known.")
        skipped = known is not None and not met and known.seq < head.seq
        count, rank = 0, 0
        async for row in self._rows(head.seq):
            fault = self._fault_of(row, head, rank)
            if fault:
                return Examined(count, head, fault)
            head, count, rank = security_journal.Head(row.seq, row.hash), count + 1, self.chain.rank(row.key_id)
            if known is not None and known.seq == row.seq:
                met = True
                if not hmac.compare_digest(known.hash, row.hash):
                    return Examined(count, head, f"Row {row.seq} is not the one that was known.")
        if known is not None and not met and not skipped:
            fault = f"Row {known.seq} was known and is gone: the journal ends with row {head.seq}."
            return Examined(count, head, fault)
        return Examined(count, head, skipped=skipped)

    async def everything(self) -> AsyncIterator[dict[str, Any]]:
        """Every row in order, ready for JSON; times in UTC (ISO 8601)."""
        async for row in self._rows(0):
            yield row.model_dump(mode="json") | {"details": details_of(row.details)}

    async def head(self) -> security_journal.Head:
        """The last row. If it is written down outside the database, it can later show that nothing was cut off (`examine`)."""
        return await self.database.read(security_journal.head)

    async def forget(self) -> int:
        """Delete the rows that are past their time, and replace them by a sealed checkpoint. Returns how many were deleted.

        Rows behind a younger one (written while the clock was ahead) stay until that one goes. The last row always stays: if even that one
        seems too old, a wrong clock is more likely than a journal without any event.

        Raises:
            JournalBroken: a row was changed after it was written; nothing more is deleted.
            JournalKeyUnknown: this process must not write to the journal.
        """
        now, gone = self.clock(), 0
        until = now - max(self.keep, KEPT_AT_LEAST)
        while True:
            batch = await self._forget_batch(until, now)
            gone += batch
            if batch < FORGET_BATCH:
                return gone

    @writes
    def _forget_batch(self, session: Session, until: datetime, now: datetime) -> int:
        security_journal.hold(session)
        last = security_journal.last(session)
        rows = security_journal.after(session, 0, FORGET_BATCH) if last is not None and last.at >= until else ()
        old = list(takewhile(lambda row: row.at < until, rows))
        if not old:
            return 0
        _, key_id = self.chain.head(session)
        self._require_whole(session, old)
        mark = JournalCheckpoint(seq=old[-1].seq, at=now, hash=old[-1].hash, key_id=key_id, seal="")
        mark.seal = self.chain.hashes.index(_checkpoint_text(mark), key_id)
        session.add(mark)
        session.flush()
        return security_journal.forget_through(session, mark.seq)

    def _require_whole(self, session: Session, rows: Sequence[JournalEntry]) -> None:
        marks = security_journal.checkpoints(session)
        head = security_journal.Head(marks[-1].seq, marks[-1].hash) if marks else security_journal.Head(0, GENESIS)
        for row in rows:
            if fault := self._fault_of(row, head):
                raise JournalBroken(fault)
            head = security_journal.Head(row.seq, row.hash)

    async def rows_by_key(self) -> dict[str, int]:
        """For how many rows each key (by its id) is still needed."""
        return await self.database.read(security_journal.rows_by_key)

    async def _rows(self, after: int) -> AsyncIterator[JournalEntry]:
        while True:
            rows = await self.database.read(security_journal.after, after, BATCH)
            for row in rows:
                yield row
            if len(rows) < BATCH:
                return
            after = rows[-1].seq

    def _fault_of(self, row: JournalEntry, head: security_journal.Head, rank: int = 0) -> str:
        """Why a row may not follow `head`; empty if it may. `rank`: the rank of the previous row's key."""
        if row.seq != head.seq + 1:
            return f"Row {head.seq + 1} is missing: row {row.seq} follows row {head.seq}."
        if row.previous != head.hash:
            return f"Row {row.seq} is not chained to the row before it."
        if self.chain.rank(row.key_id) < rank:
            return f"Row {row.seq} was made with an older key after a row of the current one."
        return self._fault_of_hash(f"Row {row.seq}", row.key_id, row.hash, security_journal.line_of(row).text())

    def _fault_of_checkpoint(self, mark: JournalCheckpoint, head: security_journal.Head) -> str:
        if mark.seq <= head.seq:
            return f"The checkpoint of row {mark.seq} follows that of row {head.seq}."
        return self._fault_of_hash(f"The checkpoint of row {mark.seq}", mark.key_id, mark.seal, _checkpoint_text(mark))

    def _fault_of_hash(self, what: str, key_id: str, made: str, text: str) -> str:
        if self.chain.hashes.is_index(key_id, made, text):
            return ""
        if key_id not in self.chain.hashes.key_ids:
            return f"{what} was made with key {key_id}, which is not configured (MEDONLINE_OLD_SECRET_KEYS)."
        return f"{what} was changed."


def _checkpoint_text(mark: JournalCheckpoint) -> str:
    return f"checkpoint|{mark.seq}|{mark.at.isoformat(timespec='microseconds')}|{mark.hash}|{mark.key_id}"
