"""Looks after the database and the clock, so that an operator hears before a patient does: gone, slow, full, another time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from medonline.services.clock import Clock
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.services.outages import is_outage
from medonline.storage.engine import DISK_FULL, Database, clock_ahead

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)
ANSWER_WITHIN = timedelta(seconds=5)
SLOW_AFTER = timedelta(seconds=1)
JUMP = timedelta(seconds=5)  # beside which no time server's slow correction shows within `EVERY`
CLOCKS_DIFFER = timedelta(seconds=30)


@dataclass(slots=True)
class DatabaseWatch:
    """The watch of one process. `monotonic`: seconds that no one sets."""

    database: Database
    clock: Clock
    alarms: Alarms
    monotonic: Callable[[], float] = time.monotonic
    _seen: tuple[datetime, float] | None = field(default=None)

    async def run(self) -> None:
        """Look every ten seconds until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("The database could not be looked after; trying again")
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        """One look; sounds what is wrong."""
        self._look_at_clock()
        began = self.monotonic()
        try:
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                ahead = await self.database.read(clock_ahead)
                writes = await self.database.takes_writes()
        except Exception as error:
            if not (isinstance(error, TimeoutError) or is_outage(error)):
                raise
            # The driver's text may hold the address.
            self.alarms.sound(Alarm.DATABASE_GONE, f"the database does not answer ({type(error).__name__})")
            return
        took = self.monotonic() - began
        if not writes and self.database.write_fault == DISK_FULL:
            self.alarms.sound(Alarm.DISK_FULL, "the database's disk is full: nothing that patients do can be kept")
        elif not writes:
            self.alarms.sound(Alarm.DATABASE_GONE, "the database takes no writes", of="writes")
        elif took > SLOW_AFTER.total_seconds():
            self.alarms.sound(Alarm.DATABASE_SLOW, f"a question and a trial took {took:.1f} s")
        if abs(ahead) > CLOCKS_DIFFER:
            where = "ahead of" if ahead > timedelta() else "behind"
            seconds = abs(ahead).total_seconds()
            self.alarms.sound(
                Alarm.CLOCK_JUMP, f"the database's clock is {seconds:.0f} s {where} this machine's", of="database"
            )

    def _look_at_clock(self) -> None:
        """Codes, sessions and limits follow the clock: one that jumps ends what is still good, or keeps alive what is over."""
        now, ticks = self.clock(), self.monotonic()
        if self._seen is not None:
            jump = (now - self._seen[0]) - timedelta(seconds=ticks - self._seen[1])
            if abs(jump) > JUMP:
                way = "forward" if jump > timedelta() else "back"
                seconds = abs(jump).total_seconds()
                self.alarms.sound(Alarm.CLOCK_JUMP, f"this machine's clock was set {way} by {seconds:.0f} s")
        self._seen = now, ticks
