"""X-Forwarded-For, forged in every way: anyone who writes it gains no second address, with none, one or two proxies in front."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medonline import bootstrap
from medonline.bootstrap import Portal
from medonline.web.edge.boundary import Boundary
from medonline.web.edge.client_address import client_address
from medonline.web.sockets.gate import SocketGate
from tests.services.world import CALL, MovableClock, at, browser, opened

PEER, INNER, ATTACKER = "10.0.0.7", "10.0.0.8", "203.0.113.9"
ROOM = 3
OPEN_CODES = 3
# What an attacker writes into the header before any proxy of ours adds to it.
FORGED = [
    [],
    [b"198.51.100.1"],
    [b"198.51.100.2, 198.51.100.3"],
    [b"127.0.0.1"],
    [b"198.51.100.4", b"198.51.100.5"],
    [b"2001:db8::1"],
    [b"unknown"],
    [b"_hidden"],
    [b""],
    [b","],
    [b", ,"],
    [b"198.51.100.6:80, [2001:db8::2]:443"],
    [b'"198.51.100.7"'],
    [b"198.51.100.8\t"],
    [b"\x1b[31m, \xff\xfe"],
    [b"999.999.999.999"],
    [b"1" * 60_000],
    [b"198.51.100.9, " * 500 + b"198.51.100.9"],
]


def through_proxies(forged: list[bytes], hops: int) -> list[tuple[bytes, bytes]]:
    """The request's headers after `hops` proxies of ours have each added whom they saw, as proxies do, to the last line."""
    seen = [ATTACKER, INNER][:hops]
    lines = list(forged)
    if seen:
        added = ", ".join(seen).encode()
        lines[-1:] = [b", ".join(filter(None, [*lines[-1:], added]))]
    others = [(b"x-real-ip", b"198.51.100.99"), (b"forwarded", b"for=198.51.100.99")]
    return [*((b"x-forwarded-for", line) for line in lines), *others]


@asynccontextmanager
async def site(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, app: Callable[[Portal], ASGIApp], hops: int
) -> AsyncIterator[Callable[[list[bytes]], Awaitable[list[Message]]]]:
    """Open a socket with these headers; what the site said to it. The sockets stay open until the end."""
    held: list[asyncio.Task[None]] = []
    async with opened(
        folder,
        clock,
        trusted_proxy_hops=hops,
        sockets_per_ip=ROOM,
        raised_networks=(),
        unconfirmed_codes_per_network=f"{OPEN_CODES} per 1 h",
    ) as portal:
        monkeypatch.setattr(bootstrap, "_portal", portal)
        guarded = Boundary(SocketGate(app(portal)))

        async def knock(forged: list[bytes]) -> list[Message]:
            said: list[Message] = []
            answered = asyncio.Event()

            async def send(message: Message) -> None:
                said.append(message)
                answered.set()

            async def receive() -> Message:
                return {"type": "websocket.connect"} if not said else await asyncio.Event().wait()  # type: ignore[return-value]

            origin = (b"origin", portal.config.origin.encode())
            headers = [origin, (b"host", b"localhost:8000"), *through_proxies(forged, hops)]
            scope: Scope = {"type": "websocket", "path": "/_event/", "query_string": b"", "client": (PEER, 5)}
            serving = asyncio.create_task(guarded({**scope, "headers": headers}, receive, send))
            serving.add_done_callback(lambda _task: answered.set())
            held.append(serving)
            await answered.wait()
            assert said, serving
            return said

        yield knock
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


def noting(addresses: list[str]) -> Callable[[Portal], ASGIApp]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        addresses.append(client_address(scope))
        assert not any(name in (b"x-forwarded-for", b"x-real-ip", b"forwarded") for name, _ in scope["headers"])
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    return lambda _portal: app


@pytest.mark.parametrize(("hops", "address"), [(0, PEER), (1, ATTACKER), (2, ATTACKER)])
async def test_sockets_of_one_attacker_are_counted_together_whatever_they_forge(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, hops: int, address: str
) -> None:
    addresses: list[str] = []
    async with site(folder, clock, monkeypatch, noting(addresses), hops) as knock:
        said = [(await knock(forged))[0]["type"] for forged in FORGED]

    assert said == ["websocket.accept"] * ROOM + ["websocket.close"] * (len(FORGED) - ROOM)
    assert addresses == [address] * ROOM


@pytest.mark.parametrize(("hops", "address"), [(0, PEER), (1, ATTACKER), (2, ATTACKER)])
async def test_the_limit_of_codes_is_no_wider_for_who_forges(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, hops: int, address: str
) -> None:
    refusals: list[Any] = []
    seen: set[str] = set()

    def asking(portal: Portal) -> ASGIApp:
        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            ip = client_address(scope)
            seen.add(ip)
            number = len(refusals)
            try:
                await portal.recovery.begin(at(browser(number), ip), f"+7900000{number % 3:02d}{number:02d}", CALL)
                refusals.append(None)
            except Exception as refusal:
                refusals.append(type(refusal).__name__)
            await send({"type": "websocket.close", "code": 1000})

        return app

    async with site(folder, clock, monkeypatch, asking, hops) as knock:
        for forged in FORGED:
            await knock(forged)

    assert seen == {address}
    assert refusals.count(None) == OPEN_CODES
    assert set(refusals[OPEN_CODES:]) == {"TooManyRequests"}


async def test_with_fewer_values_than_proxies_nothing_is_believed(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reaches the portal past the proxies."""
    addresses: list[str] = []
    async with opened(folder, clock, trusted_proxy_hops=2) as portal:
        monkeypatch.setattr(bootstrap, "_portal", portal)

        async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
            addresses.append(client_address(scope))

        for line in (b"198.51.100.1", b"", b"127.0.0.1"):
            origin = (b"origin", portal.config.origin.encode())
            headers = [origin, (b"host", b"localhost:8000"), (b"x-forwarded-for", line)]
            scope: Scope = {"type": "websocket", "path": "/_event/", "client": (PEER, 5), "headers": headers}
            await Boundary(app)(scope, None, None)  # type: ignore[arg-type]

    assert addresses == [PEER] * 3
