"""An attempt takes a place that only a wrong password keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import Busy, InvalidCredentials, TooManySignIns
from tests.providers.limits.redis_server import RedisServer, redis
from tests.services.limits.asking import IP
from tests.services.world import KNOWN, MovableClock, opened

__all__ = ["RedisServer", "redis"]


@pytest.fixture(params=["memory", "redis"])
async def portal(request: pytest.FixtureRequest, folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    store = request.getfixturevalue("redis").address if request.param == "redis" else "memory"
    async with opened(folder, clock, wrong_passwords_per_account="2 per 15 min", limits_storage=store) as portal:
        yield portal


async def attempt(portal: Portal, outcome: BaseException | None = None, browser: str = "") -> str:
    try:
        async with portal.login.limits.attempt(KNOWN, Client(address=IP), portal.clock(), known_browser=browser):
            if outcome is not None:
                raise outcome
    except BaseException as error:
        return type(error).__name__
    return "right"


async def test_only_a_wrong_password_keeps_its_place(portal: Portal) -> None:
    busy = Busy(resets := portal.config.breaker_open)
    assert resets
    for _ in range(5):
        assert await attempt(portal) == "right"
        assert await attempt(portal, busy) == "Busy"
        assert await attempt(portal, RuntimeError()) == "RuntimeError"
    assert [await attempt(portal, InvalidCredentials()) for _ in range(3)] == [
        "InvalidCredentials",
        "InvalidCredentials",
        "TooManySignIns",
    ]


async def test_who_leaves_before_the_answer_keeps_the_place(portal: Portal) -> None:
    """The password may have been wrong: leaving early is no way past the limit."""
    left = [await attempt(portal, asyncio.CancelledError()) for _ in range(3)]

    assert left == ["CancelledError", "CancelledError", TooManySignIns.__name__]


async def test_a_browser_from_before_counts_apart(portal: Portal) -> None:
    for _ in range(2):
        await attempt(portal, InvalidCredentials())
    assert await attempt(portal) == "TooManySignIns"

    assert await attempt(portal, browser="a browser") == "right"
    assert await attempt(portal) == "TooManySignIns"  # what it got right forgives nothing elsewhere
