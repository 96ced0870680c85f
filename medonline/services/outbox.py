"""The loop of an outbox: one loop per process takes up what transactions left to be sent, wherever it came from.

The outbox knows neither codes nor notices. A `Lane` says which rows are due, what to do with a row, and how many rows may be worked on at
once. Several processes run the same loop over the same rows. So `attend` leases a row before it sends anything: one conditional UPDATE
moves `due_at` to the end of the lease, and work on a row that another process has leased ends there. `attend` also decides what a lease
that ran out means (sent or not?).

Where there is room, the transaction that makes a row leases it for its own process, which takes it up after the commit. This saves a look
and a transaction for the lease. A process that is killed in between leaves the row in the same state as one killed while sending.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from medonline.services.clock import Clock

log = logging.getLogger(__name__)

IDLE_PAUSE = timedelta(seconds=1)
STOP_WAIT = timedelta(seconds=6)
STALLED_AFTER = timedelta(seconds=15)
# The number of rows that the look for all lanes reads. If it finds as many, each lane is asked for its own.
GLANCE = 48


class Due(Protocol):
    """A row to work on."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Due)


@dataclass(frozen=True, slots=True)
class Lane(Generic[Row]):
    """Work with places of its own: a row that hangs in one lane delays no other lane.

    due: reads the rows that are due, without those with the given ids, up to a number.
    attend: does the work on one row. An error in it does not affect other rows.
    at_once: how many rows may be worked on at once.
    """

    due: Callable[[tuple[str, ...], int], Awaitable[Sequence[Row]]]
    attend: Callable[[Row], Coroutine[Any, Any, None]]
    at_once: int


@dataclass(frozen=True, slots=True)
class Glance(Generic[Row]):
    """One look for all lanes. Most turns find nothing, and then cost only this one question.

    due: reads the rows of all lanes that are due, the oldest first, without those with the given ids, up to a number.
    lane_of: the lane of a row; None for a row without a lane.
    """

    due: Callable[[tuple[str, ...], int], Awaitable[Sequence[Row]]]
    lane_of: Callable[[Row], Lane[Row] | None]


@dataclass(slots=True)
class _InHand(Generic[Row]):
    """Work that has begun. `passed_over`: a turn has skipped the row since then, so the row may have become due again unnoticed."""

    task: asyncio.Task[None]
    lane: Lane[Row]
    passed_over: bool = False


class Outbox(Generic[Row]):
    """The loop. `run` ends when cancelled. `wake` makes it look at once instead of within a second.

    failed: called with an error of `attend`. The row stays as it is, and its lease runs out.
    unread: the sentence to log when the due rows could not be read.
    glance: without it, each lane is asked in each turn.
    """

    def __init__(
        self,
        clock: Clock,
        lanes: Sequence[Lane[Row]],
        *,
        failed: Callable[[BaseException], None],
        unread: str,
        glance: Glance[Row] | None = None,
    ) -> None:
        self._clock = clock
        self._lanes = lanes
        self._failed = failed
        self._unread = unread
        self._glance = glance
        self._crowded = False  # the last turn may have left rows because there were no places
        self._wake = asyncio.Event()
        self._in_hand: dict[str, _InHand[Row]] = {}
        self._last_turn: datetime | None = None
        self._turning = False
        self._left = 0  # counts how often work was left to the loop
        self._behind = False  # some of it may wait for a turn or for a place
        # Work that a transaction leaves here must not run in the context of the request behind it.
        self._context = copy_context()

    @property
    def tasks_in_hand(self) -> tuple[asyncio.Task[None], ...]:
        """The work that has begun and not ended. Each task raises what `attend` raised."""
        return tuple(one.task for one in self._in_hand.values())

    def wake(self) -> None:
        """There is something to send."""
        self._left += 1
        self._behind = True
        self._wake.set()

    def is_running(self) -> bool:
        """Whether the loop has turned recently."""
        return self._last_turn is not None and self._clock() - self._last_turn < STALLED_AFTER

    def has_room(self, lane: Lane[Row]) -> bool:
        """Whether the loop runs and would begin one more row of this lane at once, because no older row waits.

        Any thread may ask. The answer may be out of date at the commit, and then a few rows more than `at_once` are worked on.
        """
        return self._turning and not self._behind and self._free_in(lane) > 0

    def take_up(self, row: Row, lane: Lane[Row], work: Callable[[Row], Coroutine[Any, Any, None]]) -> None:
        """Begin work on a row that its transaction has leased for this process. Call it on the event loop, after the commit."""
        self._begin(row, lane, work)

    async def run(self) -> None:
        """Look for due rows until cancelled. After a database error it is logged and tried again."""
        self._context = copy_context()
        try:
            while True:
                self._wake.clear()
                try:
                    await self.turn()
                    self._last_turn = self._clock()
                    self._turning = True
                except Exception:
                    log.exception("%s; trying again", self._unread)
                try:
                    async with asyncio.timeout(IDLE_PAUSE.total_seconds()):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            self._turning = False
            await self._stop()

    async def turn(self) -> None:
        """Start work on every due row that is not worked on yet, as far as there are places."""
        left = self._left
        for one in self._in_hand.values():
            one.passed_over = True
        self._crowded = False
        if self._glance is None or not await self._begin_at_a_glance(self._glance):
            await self._ask_each_lane()
        self._behind = self._crowded or self._left != left

    async def _begin_at_a_glance(self, glance: Glance[Row]) -> bool:
        """Begin the rows of one look. Returns whether these were all: many rows in one lane would hide those of another."""
        rows = await glance.due(tuple(self._in_hand), GLANCE)
        if len(rows) >= GLANCE:
            return False
        for row in rows:
            lane = glance.lane_of(row)
            if lane is not None and self._free_in(lane) > 0:
                self._begin(row, lane, lane.attend)
            elif lane is not None:
                self._crowded = True
        return True

    async def _ask_each_lane(self) -> None:
        for lane in self._lanes:
            free = self._free_in(lane)
            rows = await lane.due(tuple(self._in_hand), free) if free > 0 else ()
            for row in rows:
                self._begin(row, lane, lane.attend)
            self._crowded = self._crowded or len(rows) >= free

    def _free_in(self, lane: Lane[Row]) -> int:
        # It uses a copy, because another thread may ask while the loop adds a row.
        return lane.at_once - sum(one.lane is lane for one in tuple(self._in_hand.values()))

    def _begin(self, row: Row, lane: Lane[Row], work: Callable[[Row], Coroutine[Any, Any, None]]) -> None:
        row_id = row.id
        task = asyncio.create_task(work(row), context=self._context.copy())
        self._in_hand[row_id] = _InHand(task, lane)
        task.add_done_callback(lambda done: self._forget(row_id, done))

    async def _stop(self) -> None:
        """Let the current work end: if it were cut off, it would be sent twice or not at all."""
        ends_at = asyncio.get_running_loop().time() + STOP_WAIT.total_seconds()
        # Repeated, because a transaction that had begun may have left more.
        while self._in_hand and (left := ends_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self.tasks_in_hand, timeout=left)
        unfinished = self.tasks_in_hand
        for task in unfinished:
            task.cancel()
        # They must be awaited: a database that is closed during their rollback would never answer them, and the process would hang.
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _forget(self, row_id: str, task: asyncio.Task[None]) -> None:
        one = self._in_hand.pop(row_id, None)
        error = None if task.cancelled() else task.exception()
        if error is None:
            if self._crowded or (one is not None and one.passed_over):
                self._wake.set()  # its place is free, and the row itself may be due again
        else:
            # The row is still due. If it were taken up at once, it would fail at once again for as long as the database is in trouble.
            self._failed(error)
