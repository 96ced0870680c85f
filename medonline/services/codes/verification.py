"""Proving by a one-time code that somebody holds a phone: what every flow with codes shares, inside a session of the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.domain.codes.one_time_code import ChannelName, digits_for
from medonline.domain.errors import CodeExpired, CodeMismatch, CodeRefused, CodeStillSending, CodeUsedUp
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.delivery import IN_FLIGHT, DeliveryState
from medonline.services.codes.issuing import CodeIssuer, CodeRequest
from medonline.storage.engine import Database
from medonline.storage.queries import codes
from medonline.storage.tables.codes import OneTimeCodeRow

# Two equal submits within this time are one: a double click, or Enter together with a click.
SAME_SUBMIT = timedelta(seconds=5)
SENDING_LOOKS = 30
SENDING_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class CodeView:
    """What a screen may know of a code on its way. Times are UTC; the phone is masked; no code, no token.

    `code_alive` is false when the code expired, was used up or replaced: then only a new one helps. `open_channels` are the
    ways that are switched on and have money left today.
    """

    phone: str
    channel: ChannelName
    issued_at: datetime
    expires_at: datetime
    resend_at: datetime
    attempts_left: int
    code_alive: bool
    delivery: DeliveryState
    problem: str
    fallback_now: bool
    open_channels: tuple[ChannelName, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a guess: a refusal, or the accepted code and the phone (E.164) it went to: that one is proved, no other.

    The refusal is returned, to be raised after the commit: a miss that is rolled back would be a free guess.
    """

    refusal: CodeRefused | None
    phone: str = ""
    code: OneTimeCodeRow | None = None


@dataclass(frozen=True, slots=True)
class CodeProof:
    """Codes of flows with one purpose."""

    database: Database
    issuer: CodeIssuer
    purpose: str
    wake_dispatcher: Callable[[], None]

    def request(self, flow_id: str, phone: PhoneNumber, channel: ChannelName, client_ip: str = "") -> CodeRequest:
        """The code a flow wants."""
        return CodeRequest(flow_id, self.purpose, phone, channel, client_ip)

    async def issue(self, session: AsyncSession, request: CodeRequest, now: datetime) -> None:
        """Leave the intent to send a code; a second click leaves nothing. Call `wake_dispatcher` after the commit.

        Raises:
            ChannelUnavailable: the way is switched off.
            RateLimited: the pause after the last code to this phone is not over.
            LimitReached: one of its leaves.
        """
        await codes.hold_phone(session, request.phone.e164)
        last = await codes.newest_of_flow(session, request.flow_id)
        again = last is not None and (last.phone, last.channel) == (request.phone.e164, request.channel)
        if again and last is not None and abs(now - last.issued_at) < SAME_SUBMIT and last.misses == 0:
            return
        await self.issuer.issue(session, request, now)
        await session.flush()

    async def view(self, session: AsyncSession, flow_id: str, now: datetime) -> CodeView | None:
        """What a screen shows of the flow's last code; None when there is none."""
        row = await codes.newest_of_flow(session, flow_id)
        if row is None:
            return None
        phone, channel = PhoneNumber(row.phone), ChannelName(row.channel)
        resend_at = await self.issuer.resend_at(session, phone)
        other = self.request(flow_id, phone, channel.other)
        return CodeView(
            phone=phone.masked,
            channel=channel,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            resend_at=resend_at or row.issued_at,
            attempts_left=max(self.issuer.policy.guesses - row.misses, 0),
            code_alive=is_alive(row, self.issuer.policy.guesses, now),
            delivery=DeliveryState(row.delivery),
            problem=row.problem,
            fallback_now=await self.issuer.may_issue(session, other, now),
            open_channels=await self.issuer.open_channels(session, now),
        )

    async def judge(self, session: AsyncSession, flow_id: str, digits: str, now: datetime) -> Judged:
        """Judge what was typed (digits only) against the flow's last code."""
        row = await codes.newest_of_flow(session, flow_id)
        if row is None:
            return Judged(CodeUsedUp())
        if row.delivery == DeliveryState.SENDING:
            return Judged(CodeStillSending())
        refusal = await judge(session, self.issuer, row, digits, now)
        if refusal is not None:
            return Judged(refusal)
        await put_arrived(session, row, now)
        return Judged(None, row.phone, row)

    async def until_sent(self, flow_id: str) -> None:
        """Give a provider that has rung, but not answered yet, a moment: the code is the one it answers with."""
        for _ in range(SENDING_LOOKS):
            async with self.database.reading() as session:
                row = await codes.newest_of_flow(session, flow_id)
            if row is None or row.delivery != DeliveryState.SENDING:
                return
            await asyncio.sleep(SENDING_PAUSE_S)


async def judge(
    session: AsyncSession, issuer: CodeIssuer, row: OneTimeCodeRow, digits: str, now: datetime
) -> CodeMismatch | CodeExpired | CodeUsedUp | None:
    """Judge one guess against one code, atomically; None when it was right."""
    code = digits_for(ChannelName(row.channel), digits)
    digest = issuer.digest(row.flow_id, row.purpose, PhoneNumber(row.phone), code)
    guesses = issuer.policy.guesses
    verdict = await codes.judge(session, row.id, digest, guesses, now)
    if verdict is None:
        return CodeExpired() if row.expires_at <= now else CodeUsedUp()
    issuer.note_guess(session, row, accepted=verdict.right)
    if verdict.right:
        return None
    await issuer.breaker.note_miss(session, now)
    return CodeMismatch(guesses - verdict.misses)


def is_alive(row: OneTimeCodeRow, guesses: int, now: datetime) -> bool:
    """Whether the code can still be typed in with success."""
    return (
        row.confirmed_at is None
        and row.replaced_at is None
        and row.misses < guesses
        and row.expires_at > now
        and row.delivery != DeliveryState.FAILED
    )


async def put_arrived(session: AsyncSession, row: OneTimeCodeRow, now: datetime) -> None:
    """Whoever typed the code has got it; the dispatcher tells the provider, where it likes to know."""
    if row.delivery in IN_FLIGHT:
        await codes.put_delivery(session, row.id, IN_FLIGHT, DeliveryState.DELIVERED)
    await codes.put_due(session, row.id, now)
