"""The loop of an outbox: what a transaction left to be sent is taken up by one loop per process, wherever it came from.

The outbox knows neither codes nor notices: a `Lane` says what is due, what to do with a row, and how many rows may be in hand.
Several processes run the same loop over the same rows, so `attend` leases a row before it sends anything: one conditional
UPDATE moves `due_at` to the end of the lease, and work on a row that another process leased ends there. What a lease that
ran out means (sent or not?) is for `attend` to decide, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from medonline.services.clock import Clock

log = logging.getLogger(__name__)

IDLE_PAUSE = timedelta(seconds=1)
STOP_WAIT = timedelta(seconds=6)
STALLED_AFTER = timedelta(seconds=15)


class Due(Protocol):
    """A row to work on."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Due)


@dataclass(frozen=True, slots=True)
class Lane(Generic[Row]):
    """Work that has places of its own: what hangs in one lane holds up no other.

    due: reads the rows that are due, without those whose ids are given, and no more than a number.
    attend: the work on one row. An error that it raises costs the other rows nothing.
    at_once: how many rows may be in hand.
    """

    due: Callable[[tuple[str, ...], int], Awaitable[Sequence[Row]]]
    attend: Callable[[Row], Coroutine[Any, Any, None]]
    at_once: int


@dataclass(frozen=True, slots=True)
class _InHand(Generic[Row]):
    task: asyncio.Task[None]
    lane: Lane[Row]


class Outbox(Generic[Row]):
    """The loop. `run` ends when cancelled; `wake` makes it look at once instead of within a second.

    failed: is told of an error of `attend`; the row stays as it is, and its lease runs out.
    unread: the sentence to log when what is due could not be read.
    busy: the lanes that have a row due which is not in hand, asked once for all of them in each turn; without it each lane is
        asked. Most turns find nothing: one question is then all that they cost.
    """

    def __init__(
        self,
        clock: Clock,
        lanes: Sequence[Lane[Row]],
        *,
        failed: Callable[[BaseException], None],
        unread: str,
        busy: Callable[[tuple[str, ...]], Awaitable[Sequence[Lane[Row]]]] | None = None,
    ) -> None:
        self._clock = clock
        self._lanes = lanes
        self._failed = failed
        self._unread = unread
        self._busy = busy
        self._wake = asyncio.Event()
        self._in_hand: dict[str, _InHand[Row]] = {}
        self._last_turn: datetime | None = None

    @property
    def tasks_in_hand(self) -> tuple[asyncio.Task[None], ...]:
        """The work that has begun and not ended; each task raises what `attend` raised."""
        return tuple(one.task for one in self._in_hand.values())

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    def is_running(self) -> bool:
        """Whether the loop has turned lately."""
        return self._last_turn is not None and self._clock() - self._last_turn < STALLED_AFTER

    async def run(self) -> None:
        """Look for due rows until cancelled; an error of the database is logged and tried again."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.turn()
                    self._last_turn = self._clock()
                except Exception:
                    log.exception("%s; trying again", self._unread)
                try:
                    async with asyncio.timeout(IDLE_PAUSE.total_seconds()):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await self._stop()

    async def turn(self) -> None:
        """Start work on every due row that is not in hand, as far as there are places."""
        lanes = self._lanes if self._busy is None else await self._busy(tuple(self._in_hand))
        for lane in lanes:
            free = lane.at_once - sum(one.lane is lane for one in self._in_hand.values())
            if free <= 0:
                continue
            for row in await lane.due(tuple(self._in_hand), free):
                self._begin(row, lane)

    def _begin(self, row: Row, lane: Lane[Row]) -> None:
        row_id = row.id
        task = asyncio.create_task(lane.attend(row))
        self._in_hand[row_id] = _InHand(task, lane)
        task.add_done_callback(lambda done: self._forget(row_id, done))

    async def _stop(self) -> None:
        """Let what is being sent end: cut off, it would be sent twice or not at all."""
        if not self._in_hand:
            return
        _, unfinished = await asyncio.wait(self.tasks_in_hand, timeout=STOP_WAIT.total_seconds())
        for task in unfinished:
            task.cancel()
        # Waited for: a database closed under their rollback would never answer them, and the process would hang.
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _forget(self, row_id: str, task: asyncio.Task[None]) -> None:
        self._in_hand.pop(row_id, None)
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._wake.set()  # its place is free
        else:
            # The row is still due: looked at again at once, it would fail again at once, as long as the database is in trouble.
            self._failed(error)
