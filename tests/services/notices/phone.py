"""A way of sending notices that does what a test says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from medonline.domain.phone import PhoneNumber


@dataclass
class Phone:
    """A channel that fails as told, in turn, and then accepts everything; `hold` keeps each answer back."""

    provider = "scripted"
    failures: list[Exception] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def send_notice(self, phone: PhoneNumber, text: str) -> str:
        self.asked.append((phone.e164, text))
        if self.hold is not None:
            await self.hold.wait()
        if self.failures:
            raise self.failures.pop(0)
        return f"ref-{len(self.asked)}"

    async def close(self) -> None:
        pass
