"""Issuing one-time codes: one live code per phone, pauses between them, an intent for the dispatcher."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.domain.errors import ChannelUnavailable, RateLimited
from medonline.domain.one_time_code import ChannelName, CodePolicy, code_digest, derive_code
from medonline.domain.phone import PhoneNumber
from medonline.services.delivery import DeliveryState
from medonline.storage import codes
from medonline.storage.models import OneTimeCodeRow, new_id

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
        """
        self.require_channel(request.channel)
        await self._refuse_within_pause(session, request, now)
        await codes.kill_live(session, request.phone.e164, now)
        row = self._new_row(request, now)
        session.add(row)
        return row

    async def resend_at(self, session: AsyncSession, phone: PhoneNumber) -> datetime | None:
        """The moment (UTC) from which a code to this phone may be asked for again; None when none was issued."""
        last = await codes.newest_to_phone(session, phone.e164)
        if last is None:
            return None
        issued = await codes.count_to_phone(session, phone.e164, last.issued_at - PAUSE_MEMORY)
        return self.policy.resend_at(issued, last.issued_at)

    async def may_issue(self, session: AsyncSession, request: CodeRequest, now: datetime) -> bool:
        """Whether `issue` would be allowed now."""
        try:
            self.require_channel(request.channel)
            await self._refuse_within_pause(session, request, now)
        except (ChannelUnavailable, RateLimited):
            return False
        return True

    async def _refuse_within_pause(self, session: AsyncSession, request: CodeRequest, now: datetime) -> None:
        resend_at = await self.resend_at(session, request.phone)
        if resend_at is None or now >= resend_at:
            return
        if await self._last_way_failed(session, request):
            return
        raise RateLimited(resend_at - now)

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

    def _new_row(self, request: CodeRequest, now: datetime) -> OneTimeCodeRow:
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
            issued_at=now,
            expires_at=self.policy.expires_at(request.channel, now),
            delivery=DeliveryState.QUEUED,
            due_at=now,
        )

    def digest(self, flow_id: str, purpose: str, phone: PhoneNumber, code: str) -> str:
        """What is stored of a code of this flow."""
        return code_digest(self.key, flow_id=flow_id, purpose=purpose, phone=phone, code=code)
