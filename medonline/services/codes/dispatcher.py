"""Sends the codes that were committed, and keeps what became of them.

One loop per process looks for rows whose `due_at` has come. A row is taken by one conditional UPDATE (a lease), so several
processes never send one code twice. A row whose lease ran out (the process was killed) is sent again only where the
provider is idempotent; otherwise it counts as failed and the patient is offered the other way: better none than two calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from medonline.domain.codes.one_time_code import ChannelName, derive_code
from medonline.domain.errors import DeliveryFailed, ProviderDown
from medonline.domain.phone import PhoneNumber
from medonline.services.clock import Clock
from medonline.services.codes.delivery import EARLIER, DeliveryProblem, DeliveryState, problem_of
from medonline.services.codes.issuing import CodeIssuer
from medonline.services.limits.budgets import Spending
from medonline.services.ports import CodeChannel, CodeMessage, DeliveryReport, LearnsOutcome, SentCode
from medonline.storage.engine import Database
from medonline.storage.queries import codes
from medonline.storage.tables.codes import OneTimeCodeRow

log = logging.getLogger(__name__)

IDLE_PAUSE = timedelta(seconds=1)
LEASE = timedelta(seconds=25)
# Each way has places of its own, and sending does not wait for polling: a provider that hangs holds up nobody else.
SENDS_AT_ONCE = 16
POLLS_AT_ONCE = 8
STOP_WAIT = timedelta(seconds=6)
_TO_SEND = (DeliveryState.QUEUED, DeliveryState.SENDING)
_TO_POLL = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED)
POLL_AFTER = tuple(timedelta(seconds=seconds) for seconds in (2, 2, 3, 5, 8, 15, 30, 60, 120))
STALLED_AFTER = timedelta(seconds=15)


class CodeDispatcher:
    """The loop. `run` ends when cancelled; `wake` makes it look at once instead of within a second."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        issuer: CodeIssuer,
        channels: Mapping[ChannelName, CodeChannel],
    ) -> None:
        self._database = database
        self._clock = clock
        self._issuer = issuer
        self._channels = channels
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places: dict[str, tuple[ChannelName, bool]] = {}  # what each task in hand counts against
        self._last_turn: datetime | None = None

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    def is_running(self) -> bool:
        """Whether the loop has turned lately."""
        return self._last_turn is not None and self._clock() - self._last_turn < STALLED_AFTER

    async def run(self) -> None:
        """Look for due codes until cancelled; an error of the database is logged and tried again."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.turn()
                    self._last_turn = self._clock()
                except Exception:
                    log.exception("The dispatcher could not read the codes to send; trying again")
                try:
                    async with asyncio.timeout(IDLE_PAUSE.total_seconds()):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await self._stop()

    async def turn(self) -> None:
        """Start work on every due code that nobody works on."""
        for channel in ChannelName:
            await self._start(channel, _TO_SEND, SENDS_AT_ONCE)
            await self._start(channel, _TO_POLL, POLLS_AT_ONCE)

    async def _start(self, channel: ChannelName, states: tuple[DeliveryState, ...], at_once: int) -> None:
        place = (channel, states is _TO_SEND)
        free = at_once - sum(taken == place for taken in self._places.values())
        if free <= 0:
            return
        async with self._database.reading() as session:
            due = await codes.due(session, self._clock(), channel, states, tuple(self._tasks), free)
        for row in due:
            task = asyncio.create_task(self._attend(row), name=f"code {row.id}")
            self._tasks[row.id], self._places[row.id] = task, place
            task.add_done_callback(self._forget)

    async def _stop(self) -> None:
        """Let what is being sent end: cut off, it would be sent twice or not at all."""
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks.values(), timeout=STOP_WAIT.total_seconds())
            for task in unfinished:
                task.cancel()
            # Waited for: a database closed under their rollback would never answer them, and the process would hang.
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def settle(self) -> None:
        """Wait for the work in hand (tests)."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    def _forget(self, task: asyncio.Task[None]) -> None:
        code_id = task.get_name().removeprefix("code ")
        self._tasks.pop(code_id, None)
        self._places.pop(code_id, None)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("Work on a code failed; its lease will run out", exc_info=task.exception())

    async def _attend(self, row: OneTimeCodeRow) -> None:
        if row.delivery == DeliveryState.QUEUED:
            await self._send(row)
        elif row.delivery == DeliveryState.SENDING:
            await self._pick_up(row)
        else:
            await self._poll(row)

    async def _pick_up(self, row: OneTimeCodeRow) -> None:
        """The lease of a killed process ran out: whether the provider was asked is unknown."""
        channel = self._channels.get(ChannelName(row.channel))
        if channel is not None and channel.idempotent:
            await self._send(row)
        else:
            await self._put_failed(row, DeliveryProblem.CHANNEL_DOWN)

    async def _send(self, row: OneTimeCodeRow) -> None:
        now = self._clock()
        never_asked = row.delivery == DeliveryState.QUEUED
        channel = self._channels.get(ChannelName(row.channel))
        if row.replaced_at is not None or row.expires_at <= now or channel is None:
            await self._put_failed(row, DeliveryProblem.CHANNEL_DOWN, free=never_asked)
            return
        if not await self._take(row, channel, now):
            return
        try:
            sent = await channel.send_code(self._message(row))
        except DeliveryFailed as error:
            log.warning("A code was not sent: %s %s", channel.provider, type(error).__name__)
            # A provider that did not answer may have called all the same.
            await self._put_failed(row, problem_of(error), free=not isinstance(error, ProviderDown))
            return
        await self._put_sent(row, sent)

    async def _take(self, row: OneTimeCodeRow, channel: CodeChannel, now: datetime) -> bool:
        async with self._database.writing() as session:
            return await codes.take_to_send(
                session, row.id, row.attempts, DeliveryState.SENDING, channel.provider, now + LEASE
            )

    def _message(self, row: OneTimeCodeRow) -> CodeMessage:
        code = derive_code(self._issuer.key, row.id, ChannelName(row.channel).code_length)
        return CodeMessage(
            idempotency_key=row.id,
            phone=PhoneNumber(row.phone),
            code=code,
            life=row.expires_at - row.issued_at,
            client_ip=row.client_ip,
        )

    async def _put_sent(self, row: OneTimeCodeRow, sent: SentCode) -> None:
        """The code that counts is the one the provider really sent."""
        digest = self._issuer.digest(row.flow_id, row.purpose, PhoneNumber(row.phone), sent.code)
        async with self._database.writing() as session:
            await codes.put_delivery(
                session,
                row.id,
                (DeliveryState.SENDING,),
                DeliveryState.SENT,
                digest=digest,
                provider_ref=sent.provider_ref,
                due_at=self._clock() + POLL_AFTER[0],
                attempts=0,
            )

    async def _put_failed(self, row: OneTimeCodeRow, problem: DeliveryProblem, *, free: bool = False) -> None:
        """`free`: it certainly cost nothing, so its money is there for other codes."""
        facts = {"problem": problem, "due_at": None} | ({"price": 0} if free else {})
        async with self._database.writing() as session:
            sources = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.SENT)
            failed = await codes.put_delivery(session, row.id, sources, DeliveryState.FAILED, **facts)
            if failed and free:
                await Spending.give_back(session, row.channel, row.issued_at, row.price)

    async def _poll(self, row: OneTimeCodeRow) -> None:
        channel = self._channels.get(ChannelName(row.channel))
        now = self._clock()
        over = row.expires_at <= now or row.replaced_at is not None or row.confirmed_at is not None
        if channel is None or channel.provider != row.provider or over:
            await self._put_due(row, None)
            if row.confirmed_at is not None and row.provider_ref and isinstance(channel, LearnsOutcome):
                await channel.report_entered(row.provider_ref, self._message(row).code)
            return
        try:
            report = await channel.delivery_report(row.provider_ref)
        except DeliveryFailed as error:
            log.info("No delivery report from %s: %s", channel.provider, type(error).__name__)
            report = None
        if report is not None:
            await self.take_report(channel.provider, row.provider_ref, report)
        next_poll = None if _is_final(report, row.channel) else now + POLL_AFTER[min(row.attempts, len(POLL_AFTER) - 1)]
        await self._put_due(row, next_poll)

    async def _put_due(self, row: OneTimeCodeRow, due_at: datetime | None) -> None:
        async with self._database.writing() as session:
            await codes.put_due(session, row.id, due_at)

    async def take_report(self, provider: str, provider_ref: str, report: DeliveryReport) -> bool:
        """Record what a provider says of a code, however late or often it says it; whether the code is known."""
        state = DeliveryState(report.value)
        facts = {"problem": DeliveryProblem.NOT_ANSWERED} if state is DeliveryState.FAILED else {}
        async with self._database.writing() as session:
            row = await codes.by_provider_ref(session, provider, provider_ref)
            if row is None:
                return False
            await codes.put_delivery(session, row.id, EARLIER[state], state, **facts)
        return True


def _is_final(report: DeliveryReport | None, channel: str) -> bool:
    """A call cannot be read; a message can."""
    if report is DeliveryReport.DELIVERED:
        return channel == ChannelName.FLASH_CALL
    return report in (DeliveryReport.READ, DeliveryReport.FAILED)
