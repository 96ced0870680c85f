"""Who is at the other end of a socket: known from the real handshake, never from anything the client says later.

Reflex believes an emitted Socket.IO event named `connect` and takes its headers for the client's. This server lets only
Reflex's own events through, reads the cookies once at the handshake, and takes them out of what Reflex gets to see.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import socketio

from medonline.web.cookies import cookie_value, region_code_in, session_key_in, visitor_key_in

log = logging.getLogger(__name__)

NAMESPACE = "/_event"
ALLOWED_EVENTS = frozenset({"event", "ping", "client_error"})
MAX_FRAME = 64 * 1024
EVENTS_PER_SECOND = 20
EVENTS_AT_ONCE = 60


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser behind a socket. Keys are SHA-256 of the cookies; empty when there was no such cookie."""

    visitor_key: str
    session_key: str
    client_ip: str
    region_code: str = ""


NOBODY = Visitor("", "", "")


class GuardedServer(socketio.AsyncServer):  # type: ignore[misc]  # the library carries no types
    """The Socket.IO server given to Reflex."""

    def __init__(self, json: Any) -> None:
        super().__init__(
            async_mode="asgi",
            cors_allowed_origins=[],  # the Origin is checked before the handshake gets here (web.boundary)
            max_http_buffer_size=MAX_FRAME,
            ping_interval=10,
            ping_timeout=10,
            json=json,
            allow_upgrades=False,
            transports=["websocket"],
            async_handlers=False,
            # Loggers of their own would print payloads past the portal's filter (logs.WithoutPayloads).
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
        )
        self._visitors: dict[str, Visitor] = {}
        self._connections: dict[str, asyncio.Task[Any]] = {}
        self._buckets: dict[str, tuple[float, float]] = {}  # events left, and when that was counted
        self._closing: set[asyncio.Task[None]] = set()

    def visitor(self, sid: str) -> Visitor:
        """Who is behind a socket id of this server; nobody when it is unknown."""
        return self._visitors.get(self.manager.eio_sid_from_sid(sid, NAMESPACE) or "", NOBODY)

    def close_sessions(self, session_keys: list[str]) -> None:
        """Close every socket of these sessions; returns at once."""
        gone = set(session_keys) - {""}
        for eio_sid in [sid for sid, visitor in self._visitors.items() if visitor.session_key in gone]:
            task = asyncio.get_running_loop().create_task(self._close(eio_sid))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _is_within_rate(self, eio_sid: str) -> bool:
        """A bucket of 60 events, filled by 20 a second: no patient's hand is faster."""
        now = time.monotonic()
        left, counted_at = self._buckets.get(eio_sid, (EVENTS_AT_ONCE, now))
        left = min(EVENTS_AT_ONCE, left + (now - counted_at) * EVENTS_PER_SECOND) - 1
        self._buckets[eio_sid] = (left, now)
        return left >= 0

    async def _close(self, eio_sid: str) -> None:
        connection = self._connections.pop(eio_sid, None)
        socket = self.eio.sockets.pop(eio_sid, None)
        if socket is not None:
            await socket.close(wait=False)
            # Engine.IO alone would leave the websocket open until the next ping fails: the page would look signed in.
            await socket.queue.put(None)
            await asyncio.sleep(0)  # the writer sends what is queued
            if connection is not None:
                connection.cancel()  # its reader takes that for the end and closes in order

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        scope = environ.get("asgi.scope", {})
        cookies = cookie_value(scope)
        client = scope.get("client") or ("",)
        visitor = Visitor(visitor_key_in(cookies), session_key_in(cookies), str(client[0]), region_code_in(cookies))
        self._visitors[eio_sid] = visitor
        connection = asyncio.current_task()
        if connection is not None:
            self._connections[eio_sid] = connection
        environ["QUERY_STRING"] = _own_token(environ.get("QUERY_STRING", ""), visitor)
        environ.pop("HTTP_COOKIE", None)
        scope["headers"] = [(name, value) for name, value in scope.get("headers", []) if name != b"cookie"]
        return await super()._handle_eio_connect(eio_sid, environ)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> Any:
        self._visitors.pop(eio_sid, None)
        self._buckets.pop(eio_sid, None)
        self._connections.pop(eio_sid, None)
        return await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        # The first event rides in this packet: one that cannot be read would leave a socket open that nobody serves.
        try:
            await super()._handle_connect(eio_sid, namespace, data)
        except Exception as error:
            log.warning("Socket closed: its first packet cannot be read: %s", type(error).__name__)
            await self._close(eio_sid)

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        # Danger: Reflex's namespace would take an event named «connect» for a new handshake with the sender's headers.
        if not _is_allowed(data) or not self._is_within_rate(eio_sid):
            log.warning("Socket closed: an event that the portal does not have, or too many of them")
            await self._close(eio_sid)
            return
        await super()._handle_event(eio_sid, namespace, id, data)


def _is_allowed(data: Any) -> bool:
    if not isinstance(data, list) or not data or not isinstance(data[0], str) or data[0] not in ALLOWED_EVENTS:
        return False
    if data[0] != "event":
        return True
    event = data[1] if len(data) == 2 else None
    return isinstance(event, dict) and isinstance(event.get("name"), str) and isinstance(event.get("payload", {}), dict)


def _own_token(query: str, visitor: Visitor) -> str:
    """The handshake's query with a token that only this browser in this session can have.

    Reflex finds a tab's state by a token that the client chooses and keeps over sign-out. Mixed with the cookies it cannot
    lead to what another person saw: not in the same tab after a sign-out, not by guessing.
    """
    fields = dict(parse_qsl(query))
    owner = f"{fields.get('token', '')}|{visitor.visitor_key}|{visitor.session_key}"
    return urlencode(fields | {"token": hashlib.sha256(owner.encode()).hexdigest()})
