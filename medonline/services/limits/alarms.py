"""Alarms: log lines that call an operator. Each begins with «ALARM», names its page in docs/runbook.md, and is limited in number."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum

from medonline.metrics import names as metrics
from medonline.services.clock import Clock

log = logging.getLogger(__name__)

QUIET = timedelta(minutes=10)
KINDS_KEPT = 1000


class Alarm(StrEnum):
    """The events that call an operator. The value is a label of a metric and the heading of a page in docs/runbook.md."""

    BREAKER_OPEN = "breaker-open"
    CHANNEL_OFF = "channel-off"
    CHANNEL_MONEY_SPENT = "channel-money-spent"
    CLOCK_JUMP = "clock-jump"
    DATABASE_GONE = "database-gone"
    DATABASE_SLOW = "database-slow"
    DISK_FULL = "disk-full"
    JOURNAL_BROKEN = "journal-broken"
    JOURNAL_KEY_UNKNOWN = "journal-key-unknown"
    LIMIT_STORE_DOWN = "limit-store-down"
    MONEY_RUNS_OUT = "money-runs-out"
    NOTICE_MONEY_SPENT = "notice-money-spent"
    NOTICES_GIVEN_UP = "notices-given-up"
    NUMBER_BLOCK = "number-block"
    PROVIDER_DOWN = "provider-down"
    PROVIDER_REFUSES = "provider-refuses"
    PROVIDER_WITHOUT_MONEY = "provider-without-money"
    SIGN_INS_OVERLOADED = "sign-ins-overloaded"
    SOCKETS_FULL = "sockets-full"
    UNCOUNTED_PROXY = "uncounted-proxy"
    UNNAMED_REFUSALS = "unnamed-refusals"
    WORKER_ENDED = "worker-ended"


IsFirst = Callable[[str], Awaitable[bool]]


class Alarms:
    """Writes one line per kind within ten minutes. The next line says how many were suppressed. Texts contain no personal data."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # transactions sound alarms from the database's threads
        # By kind: when the last line was written, and how many alarms came since.
        self._sounded: dict[str, tuple[datetime, int]] = {}
        self._others: tuple[asyncio.AbstractEventLoop, IsFirst] | None = None
        self._asking: set[asyncio.Task[None]] = set()

    def share(self, is_first: IsFirst) -> None:
        """From now on only one of all processes writes a line. `is_first` says whether no other process wrote one of this kind within
        `QUIET`.

        Call it on the event loop that will await `is_first`.
        """
        self._others = asyncio.get_running_loop(), is_first

    async def settle(self) -> None:
        """Wait until every line is written, and stop sharing."""
        self._others = None
        await asyncio.sleep(0)  # let what other threads have handed over arrive
        await asyncio.gather(*self._asking)

    def sound(self, alarm: Alarm, text: str, *, of: str = "") -> None:
        """Write the line, or count it. Safe to call from any thread.

        of: distinguishes alarms of one name, for example by channel. Each has its own line within `QUIET`.
        """
        metrics.ALARMS.add(alarm)
        kind = f"{alarm} {of}" if of else str(alarm)
        with self._lock:
            kept_back = self._kept_back(kind)
        if kept_back is None:
            return
        repeated = f" ({kept_back} more since the last line)" if kept_back else ""
        line = f"ALARM {alarm}: {text}{repeated}"
        if self._others is None:
            log.error("%s", line)
            return
        loop, is_first = self._others
        loop.call_soon_threadsafe(self._ask, kind, line, is_first)

    def _ask(self, kind: str, line: str, is_first: IsFirst) -> None:
        task = asyncio.get_running_loop().create_task(self._write_if_first(kind, line, is_first))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _write_if_first(self, kind: str, line: str, is_first: IsFirst) -> None:
        try:
            first = await is_first(kind)
        except Exception as error:
            log.warning("Whether another process sounded an alarm is not known: %s", type(error).__name__)
            first = True  # two lines are better than none
        if first:
            log.error("%s", line)

    def _kept_back(self, kind: str) -> int | None:
        """How many alarms were suppressed since the last line, if this one is to be written. None when this one is suppressed, too."""
        now = self._clock()
        last, kept_back = self._sounded.get(kind, (None, 0))
        if last is not None and now - last < QUIET:
            self._sounded[kind] = (last, kept_back + 1)
            return None
        if len(self._sounded) >= KINDS_KEPT:
            self._sounded = {of: seen for of, seen in self._sounded.items() if now - seen[0] < QUIET}
        self._sounded[kind] = (now, 0)
        return kept_back
