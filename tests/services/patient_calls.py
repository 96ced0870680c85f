"""A portal that takes calls of patients, and a vendor that has seen what a test says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    DeliveryFailed,
)
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.calls import PatientCalls
from medonline.services.codes.dispatcher import CodeDispatcher
from medonline.services.codes.flow import ASK_EVERY
from medonline.services.password_recovery.reader import RecoveryView
from medonline.services.ports import CodeMessage, DeliveryReport, ForgedReport, SentCode
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    SMS,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    current_of,
    dispatch,
    dispatcher_of,
    opened,
    rows_of,
)

CALLS = ChannelName.INBOUND_CALL
NUMBER = "+78005008275"
BORN, NEW = "21.05.1958", "NewPassword1"
ME, OTHER = replace(ANNA, sitting_key="1" * 64), replace(BORIS, sitting_key="2" * 64)


@dataclass
class ScriptedNumber(ScriptedChannel):
    """Names a number to call; `seen`: the calls that it has seen, by reference."""

    seen: dict[str, DeliveryReport] = field(default_factory=dict)

    async def send_code(self, message: CodeMessage) -> SentCode:
        self.asked.append(message)
        answer = self.answers.popleft() if self.answers else ""
        if isinstance(answer, DeliveryFailed):
            raise answer
        return SentCode(f"ref-{message.idempotency_key}", "", call_number=NUMBER)

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        await super().delivery_report(provider_ref)
        return self.seen.get(provider_ref)

    def read_report(self, body: bytes) -> list[str]:
        if not body.startswith(b"signed "):
            raise ForgedReport("wrong hash")
        return [body.removeprefix(b"signed ").decode()]


@dataclass
class UnaskedNumber(ScriptedNumber):
    """One that cannot be asked, and names the caller."""

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        return None

    def read_call(self, body: bytes) -> tuple[str, PhoneNumber] | None:
        told = json.loads(body)
        return told["ref"], PhoneNumber(told["from"])


@dataclass
class World:
    """A portal that takes calls, its vendor, and what the vendor tells."""

    portal: Portal
    clock: MovableClock
    vendor: ScriptedNumber
    dispatcher: CodeDispatcher
    calls: PatientCalls

    async def begin(self, visitor: Client = ME, phone: str = KNOWN, way: ChannelName = CALLS) -> RecoveryView:
        await self.portal.recovery.begin(visitor, phone, way)
        await dispatch(self.dispatcher)
        return await current_of(self.portal, visitor)

    async def call(self, report: DeliveryReport = DeliveryReport.DELIVERED) -> None:
        """The last wait's number is called from the right phone."""
        row = [row for row in await rows_of(self.portal) if row.channel == CALLS][-1]
        self.vendor.seen[row.provider_ref] = report

    async def wait(self, visitor: Client = ME, looks: int = 3) -> RecoveryView:
        """A browser waits for some seconds."""
        for _ in range(looks):
            view = await self.portal.recovery.follow(visitor)
            self.clock.move(seconds=ASK_EVERY.total_seconds())
            await dispatch(self.dispatcher)
        view = await self.portal.recovery.follow(visitor)
        assert view is not None
        return view

    async def at_birth_date(self, visitor: Client = ME, phone: str = KNOWN) -> RecoveryView:
        await self.begin(visitor, phone)
        await self.call()
        return await self.wait(visitor)


@asynccontextmanager
async def world_in(
    folder: Path, clock: MovableClock, vendor: ScriptedNumber | None = None, **changes: object
) -> AsyncIterator[World]:
    ways = {"code_channels": (CALL, TELEGRAM, SMS, CALLS)}
    async with opened(folder, clock, **ways | changes) as portal:
        vendor = vendor or ScriptedNumber()
        of_codes = ScriptedChannel()
        dispatcher = dispatcher_of(portal, inbound_call=vendor, telegram=of_codes, flash_call=of_codes, sms=of_codes)
        calls = replace(portal.calls, vendors=[vendor], dispatcher=dispatcher, wake=lambda: None)
        yield World(portal, clock, vendor, dispatcher, calls)
