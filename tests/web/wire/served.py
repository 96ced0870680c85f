"""A small application behind the portal's own wire, on loopback, and clients that write bytes."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from medonline.web.sockets.frames import MAX_FRAME
from medonline.web.wire.http import HEAD_WITHIN, MAX_HEAD, GuardedHttp, WireConfig
from medonline.web.wire.server import OrderlyServer
from medonline.web.wire.websocket import GuardedWebSocket
from tests.patience import PATIENCE

TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
LARGE = b"x" * (4 * 1024 * 1024)


@dataclass
class Site:
    """The application. `heard`: what it received from websockets."""

    heard: list[Message] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    may_accept: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "websocket":
            await self._converse(receive, send)
        else:
            self.asked.append(scope["path"])
            if scope["path"] == "/slow":
                await self.may_answer.wait()
            body = LARGE if scope["path"] == "/large" else b"answered"
            headers = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    async def _converse(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.may_accept.wait()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.heard.append(message)
            await send({"type": "websocket.send", "text": f"{len(message.get('text') or '')}"})
        self.heard.append(message)
        self.gone.set()


@dataclass
class Served:
    site: Site
    server: OrderlyServer
    port: int
    told: list[str]
    ended: asyncio.Task[None]

    @property
    def connections(self) -> list[Any]:
        return list(self.server.server_state.connections)

    async def open(self) -> Wire:
        return Wire(*await asyncio.open_connection("127.0.0.1", self.port))

    async def websocket(self, **headers: str) -> Wire:
        """A websocket whose handshake was answered."""
        wire = await self.open()
        wire.write(handshake(**headers))
        wire.answer = await wire.head()
        return wire

    async def wait_until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not fact():
                await asyncio.sleep(0.01)


def handshake(**headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        "GET /socket HTTP/1.1\r\nHost: portal\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n{more}\r\n"
    ).encode()


def frame(opcode: int, data: bytes = b"", *, last: bool = True, bits: int = 0) -> bytes:
    """As a client writes it, masked with nothing."""
    first, size = (0x80 if last else 0) | bits | opcode, len(data)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + bytes(4) + data


@dataclass
class Wire:
    """One connection of a client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: bytes = b""

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def flood(self, data: bytes) -> None:
        """Write all of it, or as much as the server takes."""
        with suppress(ConnectionError):
            for start in range(0, len(data), 65536):
                self.writer.write(data[start : start + 65536])
                await asyncio.wait_for(self.writer.drain(), PATIENCE)

    async def head(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)

    async def rest(self) -> bytes:
        """Everything until the server ends the connection."""
        heard = b""
        with suppress(ConnectionError):
            while part := await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                heard += part
        return heard

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server; a short one."""
        first, size = await asyncio.wait_for(self.reader.readexactly(2), PATIENCE)
        return first & 0x0F, await asyncio.wait_for(self.reader.readexactly(size), PATIENCE)

    async def closed_with(self) -> tuple[int, str]:
        """Code and reason of the server's close frame, whatever it said before."""
        while True:
            opcode, data = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(data[:2], "big"), data[2:].decode()

    def drop(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def served(*, accepts: bool = True, drain: float = 0, most_connections: int = 100) -> AsyncIterator[Served]:
    """Ends the server afterwards. `accepts`: websockets are answered at once."""
    site = Site()
    if accepts:
        site.may_accept.set()
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    told: list[str] = []
    config = WireConfig(
        site,
        most_connections,
        http=GuardedHttp,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=HEAD_WITHIN,
        ws=GuardedWebSocket,
        ws_max_size=MAX_FRAME,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = OrderlyServer(config, "a portal", lambda: told.append("stopping"), drain)
    ended = asyncio.create_task(server.serve([listening]))
    one = Served(site, server, port, told, ended)
    try:
        await one.wait_until(lambda: server.started)
        yield one
    finally:
        site.may_accept.set()
        site.may_answer.set()
        server.should_exit = server._in_haste = True
        await asyncio.wait_for(ended, PATIENCE)
