"""A way of sending notices that does what a test says."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from medonline.bootstrap import Portal
from medonline.domain.phone import PhoneNumber
from medonline.services.notices.sender import NoticeService
from medonline.wording import notices as wording
from tests.services.world import settled


@dataclass
class Phone:
    """A channel that fails as told, in turn, and then accepts everything; `hold` keeps each answer back."""

    provider = "scripted"
    failures: list[Exception] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def check(self) -> str:
        return "A stand-in in the test."

    async def send_notice(self, phone: PhoneNumber, text: str) -> str:
        self.asked.append((phone.e164, text))
        if self.hold is not None:
            await self.hold.wait()
        if self.failures:
            raise self.failures.pop(0)
        return f"ref-{len(self.asked)}"

    async def close(self) -> None:
        pass


async def sends_all(service: NoticeService) -> None:
    """Turns until nothing is due: notices to one place go one after the other."""
    await service.outbox.turn()
    while service.outbox.tasks_in_hand:
        await settled(service.outbox)
        await service.outbox.turn()


async def told(portal: Portal, *failures: Exception) -> list[tuple[str, str]]:
    """What phones have been told since the last look: number and text. The gateway fails as told, in turn, and then accepts."""
    phone = Phone(failures=list(failures))
    service = NoticeService(portal.database, portal.clock, phone, wording, portal.notices._links)
    await sends_all(service)
    return phone.asked


def token_in(text: str) -> str:
    """The token of the link in a notice."""
    link = re.search(r"Это не вы\? \S+#([0-9a-f]{64})$", text)
    assert link is not None, text
    return link[1]
