"""Somebody who asks for codes: in browsers and networks of their own, for one of the numbers of a block."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import LimitReached, RateLimited
from tests.services.world import CALL, at, browser

FAR: dict[str, Any] = {
    "codes_per_phone": "1000 per 1 h",
    "codes_per_block": "1000 per 1 h",
    "unconfirmed_codes_per_block": "1000 per 1 h",
}
IP, OTHER_IP = "203.0.113.7", "198.51.100.9"


def phone(number: int, block: int = 500) -> str:
    """One of the ten thousand numbers of a block."""
    return f"+7900{block:03}{number:04}"


async def ask(portal: Portal, to: str, ip: str = "", way: ChannelName = CALL, visitor: Client | None = None) -> str:
    """Ask for a code in a browser of its own: «sent», or the name of the refusal."""
    ask.browsers += 1  # type: ignore[attr-defined]
    try:
        await portal.recovery.begin(at(visitor or browser(ask.browsers), ip), to, way)  # type: ignore[attr-defined]
    except (LimitReached, RateLimited) as refusal:
        return type(refusal).__name__
    return "sent"


ask.browsers = 0  # type: ignore[attr-defined]


async def refusal_of(portal: Portal, to: str, ip: str = "") -> LimitReached:
    with pytest.raises(LimitReached) as refusal:
        await portal.recovery.begin(at(browser(0), ip), to, CALL)
    return refusal.value


async def pause_of(attempt: Awaitable[object]) -> timedelta:
    """How long the one who asks is told to wait."""
    with pytest.raises(RateLimited) as refusal:
        await attempt
    return refusal.value.resets_in
