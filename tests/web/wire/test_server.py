"""The order in which a server ends."""

from __future__ import annotations

import asyncio
import logging
import signal

import pytest

from tests.patience import PATIENCE
from tests.web.wire.served import TEXT, frame, served

SLOW = b"GET /slow HTTP/1.1\r\nHost: portal\r\n\r\n"
PAGE = b"GET /page HTTP/1.1\r\nHost: portal\r\n\r\n"


async def test_it_drains_first_and_serves_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "medonline")
    async with served(drain=3600) as one:
        socket = await one.websocket()
        one.server.handle_exit(signal.SIGTERM, None)
        await one.wait_until(lambda: one.told == ["stopping"])
        wire = await one.open()
        wire.write(PAGE)
        assert (await wire.head()).startswith(b"HTTP/1.1 200")
        socket.write(frame(TEXT, b"hello"))
        assert await socket.frame() == (TEXT, b"5")
        assert not one.ended.done()

        one.server.handle_exit(signal.SIGTERM, None)  # asked twice: at once
        assert await socket.closed_with() == (1012, "service restart")
        await asyncio.wait_for(one.ended, PATIENCE)
    assert one.told == ["stopping"]
    assert one.site.heard[-1]["code"] == 1012
    assert caplog.messages == [
        f"Started: a portal serves 127.0.0.1:{one.port}",
        "Told to end: not ready any more, and no new connection after 3600 s",
        "Stopping: no new connection; what is under way is finished",
        "Stopped: a portal",
    ]


async def test_a_request_under_way_is_answered_before_it_ends() -> None:
    async with served() as one:
        wire = await one.open()
        wire.write(SLOW)
        await one.wait_until(lambda: one.site.asked == ["/slow"])
        one.server.handle_exit(signal.SIGTERM, None)
        await one.wait_until(lambda: not one.server.servers[0].is_serving())
        one.site.may_answer.set()
        answer = await wire.rest()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"answered")


async def test_the_signals_are_as_they_were_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with served() as one:
        assert signal.getsignal(signal.SIGTERM) == one.server.handle_exit
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
