"""Issuing one-time codes: one live code per phone, pauses between them, an intent for the dispatcher."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.domain.codes.one_time_code import ChannelName, CodePolicy, code_digest, derive_code
from medonline.domain.errors import ChannelOverBudget, ChannelUnavailable, LimitReached, RateLimited, TooManyCodes
from medonline.domain.limits import open_from
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.services.codes.circuit_breaker import CodeBreaker
from medonline.services.codes.delivery import DeliveryState
from medonline.services.limits.budgets import Spending
from medonline.services.limits.request_limits import RequestLimits
from medonline.services.security_journal import entries
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.queries import codes
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.columns import new_id

PAUSE_MEMORY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A code wanted by a flow, for a purpose, on a phone, by a way."""

    flow_id: str
    purpose: str
    phone: PhoneNumber
    channel: ChannelName
    client_ip: str = ""


@dataclass(frozen=True, slots=True)
class CodeIssuer:
    """Puts codes into an open transaction of the caller, so that the flow and its code are committed together."""

    key: bytes
    policy: CodePolicy
    channels: tuple[ChannelName, ...]
    requests: RequestLimits
    spending: Spending
    breaker: CodeBreaker
    journal: SecurityJournal

    def require_channel(self, channel: ChannelName) -> None:
        """Refuse a way that is switched off.

        Raises:
            ChannelUnavailable: the operator switched it off.
        """
        if channel not in self.channels:
            raise ChannelUnavailable(channel)

    async def issue(self, session: AsyncSession, request: CodeRequest, now: datetime) -> OneTimeCodeRow:
        """Replace whatever code is live on the phone by a new one and leave the intent to send it.

        Raises:
            ChannelUnavailable: the way is switched off.
            RateLimited: the pause after the last code to this phone is not over.
            LimitReached: one of its leaves, for the phone, the day's money, the network or the block of numbers.
        """
        self.require_channel(request.channel)
        await codes.hold_phone(session, request.phone.e164)
        await self._refuse_to_phone(session, request, now)
        price = await self.spending.reserve(session, request.channel, now)
        # Last: what it counts in its store does not go back with the transaction.
        await self.requests.admit_code(request.phone, request.client_ip, now)
        await codes.kill_live(session, request.phone.e164, now)
        await self.breaker.weigh(session, now)
        row = self._new_row(request, price, now)
        session.add(row)
        self.journal.note(session, entries.of_code(JournalEvent.CODE_ASKED, row))
        return row

    def note_guess(self, session: AsyncSession, row: OneTimeCodeRow, *, accepted: bool) -> None:
        """A judged guess is written down alike for every number, whether it has an account or not."""
        event = JournalEvent.CODE_ACCEPTED if accepted else JournalEvent.CODE_REFUSED
        self.journal.note(session, entries.of_code(event, row))

    async def open_channels(self, session: AsyncSession, now: datetime) -> tuple[ChannelName, ...]:
        """The ways that are switched on and have money left today."""
        return tuple([channel for channel in self.channels if await self._has_money(session, channel, now)])

    async def _has_money(self, session: AsyncSession, channel: ChannelName, now: datetime) -> bool:
        try:
            await self.spending.refuse_over_budget(session, channel, now)
        except ChannelOverBudget:
            return False
        return True

    async def resend_at(self, session: AsyncSession, phone: PhoneNumber) -> datetime | None:
        """The moment (UTC) from which a code to this phone may be asked for again; None when none was issued."""
        pause_ends, limit_ends = await self._reopenings(session, phone)
        return max((end for end in (pause_ends, limit_ends) if end is not None), default=None)

    async def may_issue(self, session: AsyncSession, request: CodeRequest, now: datetime) -> bool:
        """Whether the channel, its money and the phone would allow `issue` now."""
        try:
            self.require_channel(request.channel)
            await self._refuse_to_phone(session, request, now)
            await self.spending.refuse_over_budget(session, request.channel, now)
        except (ChannelUnavailable, RateLimited, LimitReached):
            return False
        return True

    async def _refuse_to_phone(self, session: AsyncSession, request: CodeRequest, now: datetime) -> None:
        pause_ends, limit_ends = await self._reopenings(session, request.phone)
        if limit_ends is not None and now < limit_ends:
            raise TooManyCodes(now, limit_ends)
        if pause_ends is None or now >= pause_ends or await self._last_way_failed(session, request):
            return
        raise RateLimited(pause_ends - now)

    async def _reopenings(self, session: AsyncSession, phone: PhoneNumber) -> tuple[datetime | None, datetime | None]:
        """When the pause after the last code ends, and when the limit of codes to this phone does."""
        most = max((limit.count for limit in self.policy.per_phone), default=1)
        times = await codes.newest_times(session, phone.e164, most)
        if not times:
            return None, None
        issued = await codes.count_to_phone(session, phone.e164, times[0] - PAUSE_MEMORY)
        return self.policy.resend_at(issued, times[0]), open_from(times, self.policy.per_phone)

    @staticmethod
    async def _last_way_failed(session: AsyncSession, request: CodeRequest) -> bool:
        """Whether the other way just failed for this flow: then this one is offered at once, without a pause."""
        last = await codes.newest_to_phone(session, request.phone.e164)
        return (
            last is not None
            and last.delivery == DeliveryState.FAILED
            and last.channel != request.channel
            and not await codes.failed_by(
                session, request.phone.e164, request.channel, DeliveryState.FAILED, last.issued_at
            )
        )

    def _new_row(self, request: CodeRequest, price: int, now: datetime) -> OneTimeCodeRow:
        code_id = new_id()
        code = derive_code(self.key, code_id, request.channel.code_length)
        return OneTimeCodeRow(
            id=code_id,
            flow_id=request.flow_id,
            purpose=request.purpose,
            phone=request.phone.e164,
            channel=request.channel,
            digest=self.digest(request.flow_id, request.purpose, request.phone, code),
            client_ip=request.client_ip,
            price=price,
            issued_at=now,
            expires_at=self.policy.expires_at(request.channel, now),
            delivery=DeliveryState.QUEUED,
            due_at=now,
        )

    def digest(self, flow_id: str, purpose: str, phone: PhoneNumber, code: str) -> str:
        """What is stored of a code of this flow."""
        return code_digest(self.key, flow_id=flow_id, purpose=purpose, phone=phone, code=code)
