"""Reading the security journal: a patient their own part; an operator all of it, and whether it is whole."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from medonline.domain.security_journal import GENESIS, JournalEvent, JournalLine, details_of
from medonline.services.account_sessions import AccountSessionService
from medonline.services.clock import Clock
from medonline.services.sealing import Sealer
from medonline.storage import journal
from medonline.storage.engine import Database
from medonline.storage.journal_models import JournalCheckpoint, JournalEntry
from medonline.storage.models import Patient

PAGE = 30
BATCH = 1000
KEPT_AT_LEAST = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A row for the patient it is about. `at` is UTC; `network` is cut to /24 or /48; `number` names the row."""

    number: int
    at: datetime
    event: JournalEvent
    device: str
    network: str
    phone_tail: str
    details: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Rows, the newest first; `more` says that older ones follow."""

    rows: tuple[JournalRow, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination of the whole journal found. `fault` is an English sentence, empty when the chain is whole."""

    rows: int
    head: journal.Head
    fault: str = ""


@dataclass(frozen=True, slots=True)
class JournalService:
    """The use case. `session_key` names the signed-in browser of a patient; an operator has none."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    phones: Sealer
    chain: Sealer
    keep: timedelta

    async def mine(self, session_key: str, before: int = 0) -> JournalPage:
        """The patient's own part, with numbers below `before` (0: from the newest).

        Rows about the phone that name no patient (codes asked for, passwords that did not fit) are shown from the moment
        on which the phone was theirs.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        async with self.database.reading() as session:
            patient = await session.get(Patient, me.patient_id)
            indexes = self.phones.indexes(patient.phone) if patient and patient.phone else []
            since = await journal.newest_of_event(session, me.patient_id, JournalEvent.PHONE_CHANGED)
            since = since or (patient.created_at if patient else self.clock())
            upper = before if before > 0 else (await journal.head(session)).seq + 1
            rows = await journal.of_patient(session, me.patient_id, indexes, since, upper, PAGE + 1)
        return JournalPage(tuple(map(_shown, rows[:PAGE])), len(rows) > PAGE)

    async def examine(self, known: journal.Head | None = None) -> Examined:
        """Go through every row. `known`: number and hash of a row that was the last one once; it must still be there, or be
        past its time: rows cut off at the end are seen by that alone.

        Raises:
            SQLAlchemyError: as it comes.
        """
        while True:
            async with self.database.reading() as session:
                marks = await journal.checkpoints(session)
            found = await self._examine(marks, known)
            async with self.database.reading() as session:
                if not found.fault or len(await journal.checkpoints(session)) == len(marks):
                    return found
            # Meanwhile rows went because their time was over: what seemed to be missing may be just that.

    async def _examine(self, marks: Sequence[JournalCheckpoint], known: journal.Head | None) -> Examined:
        head = journal.Head(0, GENESIS)
        for mark in marks:
            fault = self._fault_of_checkpoint(mark, head)
            head = journal.Head(mark.seq, mark.hash)
            if fault:
                return Examined(0, head, fault)
        first, count, met = head, 0, known is None or known.seq <= head.seq
        async for row in self._rows(head.seq):
            fault = self._fault_of(row, head)
            if fault:
                return Examined(count, head, fault)
            head, count = journal.Head(row.seq, row.hash), count + 1
            if known is not None and known.seq == row.seq:
                met = True
                if not hmac.compare_digest(known.hash, row.hash):
                    return Examined(count, head, f"Row {row.seq} is not the one that was known.")
        if known is not None and known.seq == first.seq and known.hash != first.hash:
            return Examined(count, head, f"Row {first.seq} was not the one that was known.")
        if not met and known is not None:
            fault = f"Row {known.seq} was known and is gone: the journal ends with row {head.seq}."
            return Examined(count, head, fault)
        return Examined(count, head)

    async def everything(self) -> AsyncIterator[dict[str, Any]]:
        """Every row in order, ready for JSON; times in UTC (ISO 8601)."""
        async for row in self._rows(0):
            yield row.model_dump(mode="json") | {"details": details_of(row.details)}

    async def head(self) -> journal.Head:
        """The last row. Written down outside the database it shows later that nothing was cut off (`examine`)."""
        async with self.database.reading() as session:
            return await journal.head(session)

    async def forget(self) -> int:
        """Delete rows that are past their time, after a sealed checkpoint that stands for them; how many. Those behind a
        younger row, written while the clock was ahead, stay with it."""
        now, gone = self.clock(), 0
        until = now - max(self.keep, KEPT_AT_LEAST)
        while True:
            async with self.database.writing() as session:
                await journal.hold(session)
                rows = await journal.after(session, 0, BATCH)
                old = list(takewhile(lambda row: row.at < until, rows))
                if old:
                    mark = JournalCheckpoint(
                        seq=old[-1].seq, at=now, hash=old[-1].hash, key_id=self.chain.key_id, seal=""
                    )
                    mark.seal = self.chain.index(_checkpoint_text(mark))
                    session.add(mark)
                    await session.flush()
                    gone += await journal.forget_through(session, mark.seq)
            if len(old) < BATCH:
                return gone

    async def rows_by_key(self) -> dict[str, int]:
        """How many rows each key (by its id) must be kept for."""
        async with self.database.reading() as session:
            return await journal.rows_by_key(session)

    async def _rows(self, after: int) -> AsyncIterator[JournalEntry]:
        while True:
            async with self.database.reading() as session:
                rows = await journal.after(session, after, BATCH)
            for row in rows:
                yield row
            if len(rows) < BATCH:
                return
            after = rows[-1].seq

    def _fault_of(self, row: JournalEntry, head: journal.Head) -> str:
        if row.seq != head.seq + 1:
            return f"Row {head.seq + 1} is missing: row {row.seq} follows row {head.seq}."
        if row.previous != head.hash:
            return f"Row {row.seq} is not chained to the row before it."
        if not self.chain.is_index(row.hash, _line(row).text()):
            return self._changed(f"Row {row.seq}", row.key_id)
        return ""

    def _fault_of_checkpoint(self, mark: JournalCheckpoint, head: journal.Head) -> str:
        if mark.seq <= head.seq:
            return f"The checkpoint of row {mark.seq} follows that of row {head.seq}."
        if not self.chain.is_index(mark.seal, _checkpoint_text(mark)):
            return self._changed(f"The checkpoint of row {mark.seq}", mark.key_id)
        return ""

    def _changed(self, what: str, key_id: str) -> str:
        if key_id not in self.chain.key_ids:
            return f"{what} was sealed with key {key_id}, which is not configured (MEDONLINE_OLD_SECRET_KEYS)."
        return f"{what} was changed."


def _line(row: JournalEntry) -> JournalLine:
    return JournalLine(
        seq=row.seq,
        at=row.at,
        event=row.event,
        patient_id=row.patient_id,
        phone_index=row.phone_index,
        phone_tail=row.phone_tail,
        network=row.network,
        details=row.details,
        previous=row.previous,
    )


def _checkpoint_text(mark: JournalCheckpoint) -> str:
    return f"checkpoint|{mark.seq}|{mark.at.isoformat(timespec='microseconds')}|{mark.hash}"


def _shown(row: JournalEntry) -> JournalRow:
    details = details_of(row.details)
    device = str(details.pop("device", ""))
    return JournalRow(row.seq, row.at, JournalEvent(row.event), device, row.network, row.phone_tail, details)
