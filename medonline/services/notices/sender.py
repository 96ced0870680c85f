"""Tells patients what happened to their account: an outbox.

A notice is a row of the transaction that it tells about, so none is lost and none is sent about what was rolled back. One
loop per process sends what is due. A row is claimed by one conditional UPDATE, so several processes never send it twice.
A row whose claim ran out belonged to a killed process: whether the provider took it is unknown, and it is given up, for a
provider of text messages cannot tell a repeated one from a new one.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.domain.errors import DeliveryFailed, ProviderDown
from medonline.domain.phone import PhoneNumber
from medonline.services.clock import Clock
from medonline.services.codes.delivery import problem_of
from medonline.services.notices.dispute_links import DisputeLinks
from medonline.services.notices.texts import Told
from medonline.services.ports import NoticeChannel
from medonline.storage.engine import Database
from medonline.storage.queries import notices
from medonline.storage.tables.notices import Notice

log = logging.getLogger(__name__)

MAX_TEXT = 300
IDLE_PAUSE = timedelta(seconds=1)
LEASE = timedelta(seconds=60)
AT_ONCE = 8
STOP_WAIT = timedelta(seconds=6)
RETRY_AFTER = (timedelta(seconds=10), timedelta(seconds=60), timedelta(minutes=5))
# Told a day late, a notice frightens more than it helps: the channel was off, or the portal did not run.
STALE_AFTER = timedelta(days=1)
_IN_HAND, _UNKNOWN, _STALE = "in_hand", "unknown", "stale"
_RECORDING_PAUSES = (0.2, 1.0, 5.0)  # seconds


class NoticeService:
    """`put` within a transaction, `wake` after its commit; `run` is the loop and ends when cancelled."""

    def __init__(
        self, database: Database, clock: Clock, channel: NoticeChannel | None, links: DisputeLinks | None = None
    ) -> None:
        self._database = database
        self._links = links
        self._clock = clock
        self._channel = channel
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def put(self, session: AsyncSession, patient_id: str, told: Told) -> None:
        """Add a notice, with the link «это не я», to the caller's open transaction; nothing is added when no channel is set
        up. The links of earlier notices to this phone end: the newest closes the account whatever was done before.

        Raises:
            ValueError: a text that is empty or too long.
        """
        if self._channel is None:
            log.debug("A notice is not kept: no channel is set up")
            return
        if not 0 < len(told.text) <= MAX_TEXT:
            msg = f"a notice has 1 to {MAX_TEXT} characters"
            raise ValueError(msg)
        now = self._clock()
        row = Notice(
            patient_id=patient_id, phone=told.phone, text=told.text, about=told.about, created_at=now, due_at=now
        )
        if self._links is not None:
            row.dispute_hash = self._links.hash_for(row.id)
            if len(self._worded(row)) > MAX_TEXT:
                log.error("A notice goes without its link: the portal's address is too long for it")
                row.dispute_hash = None
        await notices.end_links(session, patient_id, now, older_to=told.phone)
        session.add(row)

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    async def run(self) -> None:
        """Send what is due until cancelled; an error of the database is logged and tried again."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.turn()
                except Exception:
                    log.exception("The notices to send could not be read; trying again")
                try:
                    async with asyncio.timeout(IDLE_PAUSE.total_seconds()):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await self._stop()

    async def turn(self) -> None:
        """Start work on every due notice that nobody works on."""
        free = AT_ONCE - len(self._tasks)
        if self._channel is None or free <= 0:
            return
        async with self._database.reading() as session:
            rows = await notices.due(session, self._clock(), AT_ONCE)
        for row in [row for row in rows if row.id not in self._tasks][:free]:
            task = asyncio.create_task(self._attend(row, self._channel), name=f"notice {row.id}")
            self._tasks[row.id] = task
            task.add_done_callback(self._forget)

    async def settle(self) -> None:
        """Wait for the work in hand (tests)."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _stop(self) -> None:
        """Let what is being sent end: cut off, nobody would know whether it went out."""
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks.values(), timeout=STOP_WAIT.total_seconds())
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task.get_name().removeprefix("notice "), None)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            # The kind only: an unforeseen error may quote what was to be sent.
            log.error("Work on a notice failed: %s; its claim will run out", type(task.exception()).__name__)

    async def _attend(self, row: Notice, channel: NoticeChannel) -> None:
        now = self._clock()
        if row.problem == _IN_HAND:
            await self._give_up(row, _UNKNOWN)
            return
        if now - row.created_at > STALE_AFTER:
            await self._give_up(row, _STALE)
            return
        async with self._database.writing() as session:
            taken = await notices.take(session, row.id, now, row.attempts, _IN_HAND, now + LEASE)
        if not taken:
            return
        try:
            reference = await channel.send_notice(PhoneNumber(row.phone), self._worded(row))
        except DeliveryFailed as error:
            await self._put_failed(row, channel, error)
            return
        await self._put_sent(row, reference)

    def _worded(self, row: Notice) -> str:
        """The text with its link: made here, so that the database never holds the token in it."""
        link = self._links.link(row.id, row.dispute_hash) if self._links is not None and row.dispute_hash else ""
        return f"{row.text} Это не вы? {link}" if link else row.text

    async def _put_sent(self, row: Notice, reference: str) -> None:
        """Record the acceptance, also when the database is busy for a while: the claim has not run out yet."""
        for pause in _RECORDING_PAUSES:
            try:
                async with self._database.writing() as session:
                    await notices.put_sent(session, row.id, reference, self._clock())
                return
            except SQLAlchemyError:
                await asyncio.sleep(pause)
        log.error("A notice was sent and could not be recorded; it will be given up, not sent again")

    async def _put_failed(self, row: Notice, channel: NoticeChannel, error: DeliveryFailed) -> None:
        may_retry = isinstance(error, ProviderDown) and row.attempts < len(RETRY_AFTER)
        due_at = self._clock() + RETRY_AFTER[row.attempts] if may_retry else None
        log.warning(
            "A notice was not sent by %s: %s; %s",
            channel.provider,
            type(error).__name__,
            f"attempt {row.attempts + 2} follows" if may_retry else "given up",
        )
        async with self._database.writing() as session:
            await notices.put_failed(session, row.id, problem_of(error), due_at)

    async def _give_up(self, row: Notice, problem: str) -> None:
        log.warning("A notice is given up: %s", problem)
        async with self._database.writing() as session:
            await notices.put_failed(session, row.id, problem, None)
