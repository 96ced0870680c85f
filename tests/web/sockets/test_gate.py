"""How many sockets there may be: of one session, of one visitor, from one network, in the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from medonline import bootstrap
from medonline.services.crypto.tokens import new_token
from medonline.web.cookies import SESSION, VISITOR, visitor_to_set
from medonline.web.sockets.gate import NAMELESS, SocketGate
from tests.providers.limits.redis_server import RedisServer, redis
from tests.services.world import MovableClock, opened

__all__ = ["redis"]

IP, OTHER_IP = "203.0.113.9", "198.51.100.9"
Knock = Callable[..., Awaitable[bool]]


async def page(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


@asynccontextmanager
async def gate(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, **settings: object
) -> AsyncIterator[tuple[Knock, Callable[[], Awaitable[None]]]]:
    """Open a socket, and say whether it was let in; and close all that are open."""
    held: list[asyncio.Task[None]] = []

    async def close_all() -> None:
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        held.clear()

    async with opened(folder, clock, **settings) as portal:
        monkeypatch.setattr(bootstrap, "_portal", portal)
        guarded = SocketGate(page), SocketGate(page)  # two processes

        async def knock(ip: str = IP, visitor: str = "", session: str = "", at: int = 0) -> bool:
            said: asyncio.Queue[Message] = asyncio.Queue()
            asked = iter([{"type": "websocket.connect"}])

            async def receive() -> Message:
                return next(asked, None) or await asyncio.Event().wait()  # type: ignore[return-value]

            cookies = [f"{name}={value}" for name, value in ((VISITOR, visitor), (SESSION, session)) if value]
            headers = [(b"cookie", "; ".join(cookies).encode())]
            scope: Scope = {"type": "websocket", "path": "/_event/", "client": (ip, 5), "headers": headers}
            held.append(asyncio.create_task(guarded[at](scope, receive, said.put)))
            return (await said.get())["type"] == "websocket.accept"

        yield knock, close_all
        await close_all()


async def test_one_visitor_has_room_for_six_wherever_it_is(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with gate(folder, clock, monkeypatch) as (knock, close_all):
        anna, boris = visitor_to_set({}), visitor_to_set({})
        assert [await knock([IP, OTHER_IP][n % 2], anna) for n in range(8)] == [True] * 6 + [False] * 2
        assert await knock(IP, boris)
        await close_all()
        assert await knock(IP, anna)

    assert caplog.messages == ["Socket refused: too many of one visitor: 6 are open"] * 2
    assert anna[:43] not in caplog.text


async def test_names_that_somebody_made_up_are_one_visitor(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gate(folder, clock, monkeypatch) as (knock, _):
        real = visitor_to_set({})
        made_up = [
            "",
            "x",
            new_token(),
            f"{new_token()}.{real.partition('.')[2]}",
            f"{new_token()}.{'0' * 32}",
            f"{real}0",
        ]
        told = [await knock(IP, made_up[number % len(made_up)]) for number in range(60)]

        assert told == [True] * NAMELESS + [False] * (60 - NAMELESS)
        assert await knock(IP, real)
        assert await knock(OTHER_IP, new_token())


async def test_a_network_shared_by_many_has_room_for_three_hundred(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gate(folder, clock, monkeypatch) as (knock, _):
        told = [await knock(IP, visitor_to_set({})) for _ in range(303)]

        assert told == [True] * 300 + [False] * 3
        assert await knock(OTHER_IP, visitor_to_set({}))


async def test_an_ipv6_network_has_the_room_of_its_width(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gate(folder, clock, monkeypatch, sockets_per_ip=2) as (knock, close_all):
        of_64 = [await knock(f"2001:db8:1:1::{n:x}", visitor_to_set({})) for n in range(4)]
        await close_all()
        of_56 = [await knock(f"2001:db8:1:{n:x}::1", visitor_to_set({})) for n in range(12)]
        await close_all()
        of_48 = [await knock(f"2001:db8:1:{n:x}00::1", visitor_to_set({})) for n in range(40)]

    assert of_64 == [True] * 2 + [False] * 2
    assert of_56 == [True] * 8 + [False] * 4
    assert of_48 == [True] * 32 + [False] * 8


async def test_one_ipv6_customer_does_not_get_the_room_of_everybody(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gate(folder, clock, monkeypatch, sockets_per_ip=2, sockets_in_all=10) as (knock, _):
        of_48 = [await knock(f"2001:db8:1:{n:x}00::1", visitor_to_set({})) for n in range(12)]

        assert of_48 == [True] * 5 + [False] * 7
        assert await knock(OTHER_IP, visitor_to_set({}))


async def test_the_process_has_an_end_and_says_so(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with gate(folder, clock, monkeypatch, sockets_in_all=3) as (knock, close_all):
        told = [await knock(f"203.0.113.{number}", visitor_to_set({})) for number in range(5)]
        await close_all()
        assert await knock(IP)

    assert told == [True] * 3 + [False] * 2
    assert caplog.messages.count("Socket refused: too many in this process: 3 are open") == 2
    assert (
        len([message for message in caplog.messages if message.startswith("ALARM sockets-full: 3 sockets are open")])
        == 1
    )


async def test_a_session_has_room_for_five_in_however_many_browsers(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_token()
    async with gate(folder, clock, monkeypatch) as (knock, _):
        told = [await knock(IP, visitor_to_set({}), session) for _ in range(7)]

    assert told == [True] * 5 + [False] * 2


async def test_a_process_that_was_told_to_end_takes_no_new_sockets(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gate(folder, clock, monkeypatch) as (knock, _):
        assert await knock()
        bootstrap.portal().stopping.set()
        assert not await knock()


async def test_places_that_another_process_holds_are_taken(
    folder: Path,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    redis: RedisServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with gate(folder, clock, monkeypatch, limits_storage=redis.address) as (knock, close_all):
        anna = visitor_to_set({})
        told = [await knock([IP, OTHER_IP][n % 2], anna, at=n % 2) for n in range(8)]
        assert told == [True] * 6 + [False] * 2
        await close_all()

        assert await knock(IP, anna)
    assert caplog.messages.count("Socket refused: too many of one visitor: 6 are open") == 2
