"""An end for what a client begins and does not finish, and room for those who come later."""

from __future__ import annotations

import asyncio

import pytest

from medonline.web.wire import http
from medonline.web.wire.http import MAX_HEAD
from tests.web.wire.served import Wire, served

REQUEST = b"GET /page HTTP/1.1\r\nHost: portal\r\n\r\n"
SOON = 0.2


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_WITHIN", SOON)
    monkeypatch.setattr(http, "READ_WITHIN", SOON)


async def drip(wire: Wire, byte: bytes = b"x") -> None:
    """A byte now and then, until the server ends the connection."""
    while not wire.reader.at_eof() and not wire.writer.is_closing():
        wire.write(byte)
        try:
            await asyncio.wait_for(wire.reader.read(65536), SOON / 10)
        except TimeoutError:
            continue
        except ConnectionError:
            return


@pytest.mark.parametrize("begun", [b"", b"GET /pa", b"GET /page HTTP/1.1\r\nX-Slow: ", REQUEST, REQUEST + b"GET /ag"])
@pytest.mark.usefixtures("_soon")
async def test_a_connection_without_a_whole_request_ends(begun: bytes) -> None:
    async with served() as one:
        wire = await one.open()
        wire.write(begun)
        heard = await wire.rest()
    assert heard.count(b"HTTP/1.1 200") == begun.count(b"\r\n\r\n")


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /page HTTP/1.1\r\nX-Slow: ",
        REQUEST + b"GET /page HTTP/1.1\r\nX-Slow: ",
        b"GET /page HTTP/1.1\r\nHost: portal\r\nContent-Length: 1000000\r\n\r\n",
    ],
    ids=["a head", "the second head", "a body that nobody waits for"],
)
@pytest.mark.usefixtures("_soon")
async def test_a_byte_now_and_then_gains_no_time(begun: bytes) -> None:
    async with served() as one:
        wire = await one.open()
        wire.write(begun)
        await asyncio.wait_for(drip(wire), 60)
        await one.wait_until(lambda: not one.connections)


@pytest.mark.usefixtures("_soon")
async def test_a_client_that_does_not_read_is_let_go() -> None:
    async with served() as one:
        wire = await one.open()
        wire.writer.transport.pause_reading()
        wire.write(b"GET /large HTTP/1.1\r\nHost: portal\r\n\r\n")
        await one.wait_until(lambda: one.site.asked == ["/large"])
        await one.wait_until(lambda: not one.connections)
        wire.drop()


@pytest.mark.usefixtures("_soon")
async def test_an_answer_may_take_its_time() -> None:
    async with served() as one:
        wire, other = await one.open(), await one.open()
        wire.write(b"GET /slow HTTP/1.1\r\nHost: portal\r\n\r\n")
        await one.wait_until(lambda: one.site.asked == ["/slow"])
        assert await other.rest() == b""  # a whole deadline later
        one.site.may_answer.set()
        assert (await wire.head()).startswith(b"HTTP/1.1 200")


async def test_requests_in_a_row_are_answered_in_order() -> None:
    async with served() as one:
        wire = await one.open()
        wire.write(REQUEST * 3)
        for _ in range(3):
            assert (await wire.head()).startswith(b"HTTP/1.1 200")
            assert await wire.reader.readexactly(8) == b"answered"
        wire.drop()


@pytest.mark.parametrize("size", [MAX_HEAD * 2, 1024 * 1024])
async def test_a_head_over_the_limit_is_refused(size: int) -> None:
    async with served() as one:
        wire = await one.open()
        await wire.flood(b"GET /page HTTP/1.1\r\nHost: portal\r\nX-Long: " + b"x" * size + b"\r\n\r\n")
        assert (await wire.rest())[:12] in (b"HTTP/1.1 400", b"")
        await one.wait_until(lambda: not one.connections)
    assert one.site.asked == []


async def test_with_no_room_left_the_longest_without_a_request_goes() -> None:
    async with served(most_connections=3) as one:
        busy = await one.open()
        busy.write(b"GET /slow HTTP/1.1\r\nHost: portal\r\n\r\n")
        await one.wait_until(lambda: one.site.asked == ["/slow"])
        idle = [await one.open(), await one.open()]
        await one.wait_until(lambda: len(one.connections) == 3)
        later = await one.open()
        assert await idle[0].rest() == b""
        later.write(REQUEST)
        assert (await later.head()).startswith(b"HTTP/1.1 200")
        one.site.may_answer.set()
        assert (await busy.head()).startswith(b"HTTP/1.1 200")
        for wire in (busy, idle[1], later):
            wire.drop()


async def test_with_nobody_to_send_away_the_newcomer_goes() -> None:
    async with served(most_connections=1) as one:
        busy = await one.open()
        busy.write(b"GET /slow HTTP/1.1\r\nHost: portal\r\n\r\n")
        await one.wait_until(lambda: one.site.asked == ["/slow"])
        later = await one.open()
        assert await later.rest() == b""
        one.site.may_answer.set()
        assert (await busy.head()).startswith(b"HTTP/1.1 200")
        busy.drop()
