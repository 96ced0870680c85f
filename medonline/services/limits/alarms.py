"""Alarms: lines in the log that an operator is paged by. Each begins with «ALARM», names its page in docs/runbook.md, and is damped."""

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
    """What an operator is told of; the value is a label of a metric and the heading of a page in docs/runbook.md."""

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
    """One line per kind within ten minutes; the next one says how many were kept back. Texts hold no personal data."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # transactions sound alarms from the database's threads
        self._sounded: dict[str, tuple[datetime, int]] = {}  # kind: when the last line was written, how many since
        self._others: tuple[asyncio.AbstractEventLoop, IsFirst] | None = None
        self._asking: set[asyncio.Task[None]] = set()

    def share(self, is_first: IsFirst) -> None:
        """From now on one of all processes writes a line: `is_first` says of a kind whether no other one did within `QUIET`. On the
        event loop that will ask it."""
        self._others = asyncio.get_running_loop(), is_first

    async def settle(self) -> None:
        """Wait until every line that was sounded is written, and share no more."""
        self._others = None
        await asyncio.sleep(0)  # what other threads handed over has arrived
        await asyncio.gather(*self._asking)

    def sound(self, alarm: Alarm, text: str, *, of: str = "") -> None:
        """Write the line, or count it. From any thread.

        of: what tells alarms of one name apart, as a channel; each has a line of its own within `QUIET`.
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
            first = True  # told twice is better than not at all
        if first:
            log.error("%s", line)

    def _kept_back(self, kind: str) -> int | None:
        """How many were kept back since the last line, when this one is written; None when it is kept back, too."""
        now = self._clock()
        last, kept_back = self._sounded.get(kind, (None, 0))
        if last is not None and now - last < QUIET:
            self._sounded[kind] = (last, kept_back + 1)
            return None
        if len(self._sounded) >= KINDS_KEPT:
            self._sounded = {of: seen for of, seen in self._sounded.items() if now - seen[0] < QUIET}
        self._sounded[kind] = (now, 0)
        return kept_back
