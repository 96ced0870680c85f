"""Refused sign-ins in the journal. The first of a run is written at once, and the following ones as one row with a count.

A person who types passwords must not fill what cannot be deleted. Nothing was accepted, so a count may be lost with its process (I5 is
about what is accepted). It is written after `PERIOD`, when the patient looks, and at the end of the process.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from medonline.domain.device import UNKNOWN_DEVICE, Device
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.services.outages import JournalKeyUnknown
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database

log = logging.getLogger(__name__)

PERIOD = timedelta(minutes=10)
# At most this many rows an hour begin a run, over all numbers. An attack on many numbers leaves these rows and one count.
RUNS_PER_HOUR = 1000
HOUR = timedelta(hours=1)
PACE = timedelta(minutes=1)
_Key = tuple[str, str, str, str]  # patient, number, device, network: two refusals with the same ones are equal


@dataclass(slots=True)
class _Run:
    """Equal refusals: when the last row was written, and how many have come since."""

    note: JournalNote
    phone_index: str
    written_at: datetime
    waiting: int = 0

    def is_over(self, now: datetime) -> bool:
        # After a clock was set back, a count must not wait for hours.
        return not timedelta() <= now - self.written_at < PERIOD


@dataclass(slots=True)
class RefusedSignIns:
    """The use case. `note` is called for every refusal. Known and unknown numbers are counted alike (I8)."""

    database: Database
    clock: Clock
    journal: SecurityJournal
    alarms: Alarms
    _runs: dict[_Key, _Run] = field(default_factory=dict)
    _begun: deque[datetime] = field(default_factory=deque)

    async def note(self, *, patient_id: str = "", phone: str = "", device: Device = UNKNOWN_DEVICE) -> None:
        """Note a wrong password for a number (E.164), or inside the account of a patient."""
        now = self.clock()
        key = (patient_id, phone, device.name, device.network)
        if key not in self._runs and not self._may_begin(now):
            key, patient_id, phone, device = ("", "", "", ""), "", "", UNKNOWN_DEVICE  # keep only how many there were
        run = self._runs.get(key)
        if run is None:
            note = JournalNote(JournalEvent.SIGN_IN_REFUSED, patient_id, phone, device)
            index = self.journal.phones.index(phone) if phone else ""
            self._runs[key] = run = _Run(note, index, now - PERIOD)
        run.waiting += 1
        if run.is_over(now):
            await self._write([run], now)

    async def flush(
        self, patient_id: str = "", phone_indexes: Collection[str] = (), *, all_of_them: bool = False
    ) -> None:
        """Write the counts that have waited for `PERIOD`.

        If asked for, counts about a patient or their number, or all counts, are written at once.
        """
        now = self.clock()
        due: list[_Run] = []
        for key, run in list(self._runs.items()):
            theirs = run.phone_index in phone_indexes or (patient_id != "" and run.note.patient_id == patient_id)
            if run.waiting and (all_of_them or theirs or run.is_over(now)):
                due.append(run)
            elif run.is_over(now):
                del self._runs[key]
        if due:
            await self._write(due, now)

    async def run(self) -> None:
        """Write the counts that have waited, every minute, until cancelled. Then write all of them."""
        try:
            while True:
                await asyncio.sleep(PACE.total_seconds())
                await self.flush()
        finally:
            await self.flush(all_of_them=True)

    def _may_begin(self, now: datetime) -> bool:
        while self._begun and not timedelta() <= now - self._begun[0] < HOUR:
            self._begun.popleft()
        if len(self._begun) < RUNS_PER_HOUR:
            self._begun.append(now)
            return True
        text = "so many sign-ins are refused that the journal names no further numbers"
        self.alarms.sound(Alarm.UNNAMED_REFUSALS, text)
        return False

    async def _write(self, runs: Sequence[_Run], now: datetime) -> None:
        told, before = [], [(run, run.waiting, run.written_at) for run in runs]
        for run, count, _ in before:
            told.append(replace(run.note, details={"times": count} if count > 1 else {}))
            run.waiting, run.written_at = 0, now
        try:
            await self.database.write(self.journal.note, *told)
        except (SQLAlchemyError, JournalKeyUnknown) as error:
            # Nothing was accepted: the refusal is valid without its row, and a busy database must not change the answer.
            log.error("A refused sign-in is not in the journal: %s", type(error).__name__)
            for run, count, written_at in before:
                run.waiting, run.written_at = run.waiting + count, written_at
