"""Sends the committed codes, and records the outcome.

This is an outbox: one conditional UPDATE leases a row whose `due_at` has come, so several processes never send one code twice. The
transaction that makes a row usually leases it, too (`CodeDispatcher.enqueue`). A lease runs out when its process was killed. Such a row is
sent again only where the provider is idempotent. Otherwise it counts as failed and the patient is offered another way: no call is better
than two.

Where a way has several vendors, the next vendor takes over a code only if the one before certainly did not send it (`Vendors`). The row
names the vendor before that vendor is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import DeliveryFailed
from medonline.domain.phone import PhoneNumber
from medonline.metrics import names as metrics
from medonline.services.clock import Clock
from medonline.services.codes.delivery import EARLIER, REPORTED, DeliveryProblem, DeliveryState, problem_of
from medonline.services.codes.issuing import CodeIssuer, topic_of
from medonline.services.codes.vendors import Vendors, is_trouble_of_vendor
from medonline.services.limits.budgets import Spending
from medonline.services.limits.code_limits import CodeAsked
from medonline.services.limits.provider_alarms import ProviderAlarms
from medonline.services.outbox import Glance, Lane, Outbox
from medonline.services.ports import CodeChannel, CodeMessage, DeliveryReport, LearnsOutcome, SentCode
from medonline.storage.engine import Database, after_commit, announce, writes
from medonline.storage.queries import codes
from medonline.storage.tables.codes import OneTimeCodeRow

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=25)
# Each way has its own places, and sending does not wait for polling: a provider that hangs delays nobody else.
SENDS_AT_ONCE = 16
POLLS_AT_ONCE = 8
_TO_SEND = (DeliveryState.QUEUED, DeliveryState.SENDING)
# How long the portal keeps a call that was seen, if its wait would end earlier.
CALL_KEPT = timedelta(minutes=3)
_TO_POLL = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED)
POLL_AFTER = tuple(timedelta(seconds=seconds) for seconds in (2, 2, 3, 5, 8, 15, 30, 60, 120))


class CodeDispatcher:
    """Sends the codes and records their outcome; `outbox` is the loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        issuer: CodeIssuer,
        channels: Mapping[ChannelName, Sequence[CodeChannel]],
    ) -> None:
        self.database = database
        self._clock = clock
        self._issuer = issuer
        self._provider_alarms = ProviderAlarms(issuer.limits.alarms)
        self._vendors = {name: Vendors(clock, in_order) for name, in_order in channels.items()}
        self._lanes = {
            (channel, states): self._lane(channel, states, at_once)
            for channel in ChannelName
            for states, at_once in ((_TO_SEND, SENDS_AT_ONCE), (_TO_POLL, POLLS_AT_ONCE))
        }
        unread = "The dispatcher could not read the codes to send"
        self.outbox: Outbox[OneTimeCodeRow] = Outbox(
            clock,
            [*self._lanes.values()],
            failed=_log_failure,
            unread=unread,
            glance=Glance(self._all_due, self._lane_of),
        )

    def enqueue(self, session: Session, row: OneTimeCodeRow) -> None:
        """Have a new code sent after the transaction that makes it commits. This process sends it if it has room now."""
        if row.due_at is None:  # a code that waits for a chat: `services/codes/chats.py` has it sent
            return
        vendors = self._vendors.get(ChannelName(row.channel))
        lane = self._lanes[ChannelName(row.channel), _TO_SEND]
        if vendors is None or not self.outbox.has_room(lane):
            after_commit(session, self.outbox.wake)
            return
        vendor = vendors.first()
        if after_commit(session, partial(self.outbox.take_up, row, lane, partial(self._send_leased, vendor))):
            row.delivery, row.provider, row.attempts = DeliveryState.SENDING, vendor.provider, 1
            row.due_at = self._clock() + LEASE

    def _lane(self, channel: ChannelName, states: tuple[DeliveryState, ...], at_once: int) -> Lane[OneTimeCodeRow]:
        async def due(in_hand: tuple[str, ...], limit: int) -> Sequence[OneTimeCodeRow]:
            return await self.database.read(codes.due, self._clock(), channel, states, in_hand, limit)

        return Lane(due, self._attend, at_once)

    async def _all_due(self, in_hand: tuple[str, ...], limit: int) -> Sequence[OneTimeCodeRow]:
        return await self.database.read(codes.all_due, self._clock(), in_hand, limit)

    def _lane_of(self, row: OneTimeCodeRow) -> Lane[OneTimeCodeRow] | None:
        found = (
            lane for (channel, states), lane in self._lanes.items() if row.channel == channel and row.delivery in states
        )
        return next(found, None)

    async def _attend(self, row: OneTimeCodeRow) -> None:
        if row.delivery == DeliveryState.QUEUED:
            await self._send(row)
        elif row.delivery == DeliveryState.SENDING:
            await self._pick_up(row)
        else:
            await self._poll(row)

    async def _pick_up(self, row: OneTimeCodeRow) -> None:
        """Handle a row whose lease ran out because a process was killed.

        Nobody knows whether its vendor was asked, so no other vendor may be asked.
        """
        vendor = self._vendor_of(row)
        if vendor is not None and vendor.idempotent:
            await self._send(row, vendor)
        else:
            await self._fail(row, DeliveryProblem.CHANNEL_DOWN)

    async def _send(self, row: OneTimeCodeRow, asked_before: CodeChannel | None = None) -> None:
        now = self._clock()
        vendors = self._vendors.get(ChannelName(row.channel))
        if row.replaced_at is not None or row.expires_at <= now or vendors is None:
            await self._fail(row, DeliveryProblem.CHANNEL_DOWN, free=asked_before is None)
            return
        vendor = asked_before or vendors.first()
        if await self._take(row, vendor, now):
            await self._send_leased(vendor, row, asked_before=asked_before is not None)

    async def _send_leased(self, vendor: CodeChannel, row: OneTimeCodeRow, *, asked_before: bool = False) -> None:
        """Send a code that this process has leased. `asked_before`: the vendor may have sent it already, whatever it says now."""
        vendors = self._vendors[ChannelName(row.channel)]
        try:
            sent = await vendor.send_code(self._message(row))
        except DeliveryFailed as error:
            self._note_refusal(vendors, vendor, error)
            unsent = not (asked_before or error.may_have_gone_out)
            reserve = vendors.after(vendor) if unsent and is_trouble_of_vendor(error) else None
            if reserve is not None and await self._hand_over(row, vendor, reserve):
                await self._send_leased(reserve, row)
            else:
                await self._fail(row, problem_of(error), free=unsent)
            return
        vendors.note(vendor, None)
        self._provider_alarms.well(vendor.provider)
        await self._record_sent(row, sent)

    def _note_refusal(self, vendors: Vendors, vendor: CodeChannel, error: DeliveryFailed) -> None:
        log.warning("A code was not sent: %s %s (%s)", vendor.provider, type(error).__name__, error.code or "-")
        vendors.note(vendor, error)
        self._provider_alarms.failed(vendor.provider, error)

    async def _take(self, row: OneTimeCodeRow, vendor: CodeChannel, now: datetime) -> bool:
        taken = await self.database.write(
            codes.take_to_send, row.id, row.attempts, DeliveryState.SENDING, vendor.provider, now + LEASE
        )
        if taken:
            row.provider, row.attempts = vendor.provider, row.attempts + 1
        return taken

    async def _hand_over(self, row: OneTimeCodeRow, vendor: CodeChannel, reserve: CodeChannel) -> bool:
        """Lease the code for the reserve. Returns whether it still belongs to this process and may be sent."""
        if not await self._take(row, reserve, self._clock()):
            return False
        log.warning("%s takes over a code of %s", reserve.provider, vendor.provider)
        metrics.CODES_HANDED_OVER.add(row.channel, vendor.provider, reserve.provider)
        return True

    def _message(self, row: OneTimeCodeRow) -> CodeMessage:
        return CodeMessage(
            idempotency_key=row.id,
            phone=PhoneNumber(row.phone),
            code=self._issuer.code_of(row),
            life=row.expires_at - row.issued_at,
            client_ip=row.client_ip,
            chat_id=row.chat_id,
        )

    @writes
    def _record_sent(self, session: Session, row: OneTimeCodeRow, sent: SentCode) -> None:
        """Record the code that the provider really sent: only that one counts."""
        announce(session, topic_of(row.phone))
        typed = not ChannelName(row.channel).facts.patient_calls
        recorded = codes.set_delivery(
            session,
            row.id,
            (DeliveryState.SENDING,),
            DeliveryState.SENT,
            digest=self._issuer.digests(row, sent.code)[0] if typed else "",
            call_number=sent.call_number,
            provider_ref=sent.provider_ref,
            due_at=self._clock() + POLL_AFTER[0],
            chat_id=None,  # not needed any more
            attempts=0,
        )
        if recorded:
            after_commit(session, partial(metrics.CODES_SENT.add, row.channel, self._provider_of(row)))

    async def unsent(self, row: OneTimeCodeRow, problem: DeliveryProblem) -> None:
        """Record that a code that waited for a chat will not be sent. It costs nothing."""
        await self._fail(row, problem, free=True)

    async def _fail(self, row: OneTimeCodeRow, problem: DeliveryProblem, *, free: bool = False) -> None:
        """Record that a code was not sent. `free`: it certainly cost nothing, so its money is free for other codes."""
        failed = await self._record_failed(row, problem, free=free)
        if failed and problem is DeliveryProblem.CHANNEL_DOWN:
            await self._issuer.limits.not_sent(CodeAsked(row.id, row.channel, row.phone, row.client_ip))

    @writes
    def _record_failed(self, session: Session, row: OneTimeCodeRow, problem: DeliveryProblem, *, free: bool) -> bool:
        facts = {"problem": problem, "due_at": None} | ({"price": 0} if free else {})
        announce(session, topic_of(row.phone))
        sources = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.SENT)
        failed = codes.set_delivery(session, row.id, sources, DeliveryState.FAILED, **facts)
        if failed:
            after_commit(session, partial(metrics.CODES_FAILED.add, row.channel, self._provider_of(row), problem))
        if failed and free:  # the code is locked before the money (lock order: `storage.engine`)
            Spending.give_back(session, row.channel, row.issued_at, row.price)
        return failed

    async def _poll(self, row: OneTimeCodeRow) -> None:
        vendor = self._vendor_of(row)
        now = self._clock()
        over = row.expires_at <= now or row.replaced_at is not None or row.confirmed_at is not None
        if vendor is None or over:
            await self._set_due(row, None)
            if row.confirmed_at is not None and row.provider_ref and isinstance(vendor, LearnsOutcome):
                await vendor.report_entered(row.provider_ref, self._message(row).code)
            return
        try:
            report = await vendor.delivery_report(row.provider_ref)
        except DeliveryFailed as error:
            log.info("No delivery report from %s: %s (%s)", vendor.provider, type(error).__name__, error.code or "-")
            report = None
        if report is not None:
            await self.take_report(vendor.provider, row.provider_ref, report)
        await self._set_due(row, _next_poll(row, report, now))

    async def _set_due(self, row: OneTimeCodeRow, due_at: datetime | None) -> None:
        await self.database.write(codes.set_due, row.id, due_at)

    @writes
    def take_report(self, session: Session, provider: str, provider_ref: str, report: DeliveryReport) -> bool:
        """Record what a provider reports of a code, however late or often. Returns whether the code is known."""
        state, problem = REPORTED[report]
        facts: dict[str, Any] = {} if problem is None else {"problem": problem}
        row = codes.by_provider_ref(session, provider, provider_ref)
        if row is None:
            return False
        now, called = self._clock(), ChannelName(row.channel).facts.patient_calls
        if called and state is DeliveryState.DELIVERED and row.expires_at > now:
            # The patient may be dialling on the phone that shows the portal: its browser sleeps meanwhile.
            facts["expires_at"] = max(row.expires_at, now + CALL_KEPT)
        if codes.set_delivery(session, row.id, EARLIER[state], state, **facts):
            announce(session, topic_of(row.phone))
            if problem is None and row.delivery == DeliveryState.SENT:
                after_commit(session, partial(metrics.CODES_DELIVERED.add, row.channel, provider))
            elif problem is not None:
                after_commit(session, partial(metrics.CODES_FAILED.add, row.channel, provider, problem))
        return True

    def _vendor_of(self, row: OneTimeCodeRow) -> CodeChannel | None:
        """The vendor that was asked to send the code. None when it is not set up here (any more), or no vendor was asked."""
        vendors = self._vendors.get(ChannelName(row.channel))
        return None if vendors is None else vendors.named(row.provider)

    def _provider_of(self, row: OneTimeCodeRow) -> str:
        vendors = self._vendors.get(ChannelName(row.channel))
        return row.provider or ("" if vendors is None else vendors.in_order[0].provider)


def _log_failure(error: BaseException) -> None:
    log.error("Work on a code failed; its lease will run out", exc_info=error)


def _next_poll(row: OneTimeCodeRow, report: DeliveryReport | None, now: datetime) -> datetime | None:
    """When to ask the vendor again (UTC). The portal asks for a call only while a browser waits and says so (`CodeFlow.await_call`)."""
    if _is_final(report, row.channel) or ChannelName(row.channel).facts.patient_calls:
        return None
    return now + POLL_AFTER[min(row.attempts, len(POLL_AFTER) - 1)]


def _is_final(report: DeliveryReport | None, channel: str) -> bool:
    """Whether no later report is possible. A message may still be read, but a call cannot be."""
    if report is DeliveryReport.DELIVERED:
        return not ChannelName(channel).facts.tells_reading
    return report is not None and REPORTED[report][0] in (DeliveryState.READ, DeliveryState.FAILED)
