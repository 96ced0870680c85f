"""The gate before the socket server. It limits the number of sockets, the time to join, and the rate and size of frames.

It is an ASGI application in front of Engine.IO, because a frame that Engine.IO cannot parse ends its reader with an exception and
leaves the socket behind. `web.sockets.server.GuardedServer` later checks what a packet says.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medonline.bootstrap import portal
from medonline.framework.sockets import NAMESPACE
from medonline.metrics import names as metrics
from medonline.services.limits.alarms import Alarm
from medonline.services.limits.networks import Level, asker_of
from medonline.web.cookies import cookie_value, issued_visitor_key_in, session_key_in
from medonline.web.edge.client_address import client_address
from medonline.web.sockets.frames import Frame, Refused, kind_of

log = logging.getLogger(__name__)

FRAMES_PER_SECOND = 20
FRAMES_AT_ONCE = 60
NAMELESS = 20  # sockets without a visitor cookie from one network; a page of the portal has the cookie
JOIN_WITHIN = 5.0  # seconds from the handshake, or from leaving the namespace
CLOSE_WITHIN = 5.0  # seconds for the server to let go of a refused socket
NORMAL_CLOSURE = 1000
POLICY_VIOLATION = 1008
_GONE: Message = {"type": "websocket.disconnect", "code": POLICY_VIOLATION}


class SocketGate:
    """ASGI middleware. It passes on anything but a websocket untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: Counter[_Place] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the socket, or close it before its handshake."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        places = _places_of(scope)
        try:
            self._require_room(scope, places)
            async with self._held(places):
                await _Socket(receive, send).run(self._app, scope)
        except _NoRoom as refusal:
            log.warning("Socket refused: %s", refusal)
            metrics.SOCKETS_REFUSED.add(refusal.why)
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    @asynccontextmanager
    async def _held(self, places: dict[_Place, int]) -> AsyncIterator[None]:
        """Hold the socket's places, in this process and over all processes, and give them back at the end.

        Raises:
            _NoRoom: with the places that other processes hold, the limit is reached.
        """
        shared = {portal().visitor_marks.index(f"sockets {place}"): place for place in places if place != _PROCESS}
        self._open.update(places.keys())
        metrics.SOCKETS.change(+1)
        try:
            full = await portal().outside.places.take({name: places[place] for name, place in shared.items()})
            if full is not None:
                raise _NoRoom.of(shared[full], places[shared[full]])
            try:
                yield
            finally:
                await portal().outside.places.give_back(shared)
        finally:
            self._open.subtract(places.keys())
            metrics.SOCKETS.change(-1)
            for place in places:
                if self._open[place] <= 0:
                    del self._open[place]

    def _require_room(self, scope: Scope, places: dict[_Place, int]) -> None:
        if scope["path"].rstrip("/") != NAMESPACE:
            raise _NoRoom("not the address of the portal's socket", "address")
        if portal().stopping.is_set():
            raise _NoRoom("the process is about to end", "stopping")
        for place, most in places.items():
            if self._open[place] >= most:
                if place == _PROCESS:
                    portal().alarms.sound(
                        Alarm.SOCKETS_FULL, f"{most} sockets are open (SOCKETS_IN_ALL): every other one is refused"
                    )
                raise _NoRoom.of(place, most)


class _Place(NamedTuple):
    """What a socket counts against. The log says `kind` but not `name`."""

    kind: str
    name: str = ""


class _NoRoom(Exception):
    """The socket is refused before its handshake. The text says why and quotes nothing from the client. `why` is a label for a metric."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why

    @classmethod
    def of(cls, place: _Place, most: int) -> _NoRoom:
        """The refusal when all places of a kind are taken."""
        return cls(f"too many {place.kind}: {most} are open", place.kind)


_PROCESS = _Place("in this process")


def _places_of(scope: Scope) -> dict[_Place, int]:
    """What a socket counts against, and the most that each may hold. The process's own limit comes last, so it is reported last."""
    config, cookies, address = portal().config, cookie_value(scope), client_address(scope)
    asker = asker_of(address, ())
    levels = asker.levels if asker is not None else (Level(address, 1),)
    places: dict[_Place, int] = {}
    if session_key := session_key_in(cookies):
        places[_Place("of one session", session_key)] = config.sockets_per_session
    if visitor_key := issued_visitor_key_in(cookies):
        places[_Place("of one visitor", visitor_key)] = config.sockets_per_visitor
    else:
        # A made-up cookie counts as none. All sockets of a network without a cookie of ours share this room.
        places[_Place("without a visitor's cookie from one network", levels[0].network)] = NAMELESS
    for level in levels:
        # A single customer can easily get a /48, so it must not fill the room of everybody.
        most = min(config.sockets_per_ip * level.times, max(config.sockets_per_ip, config.sockets_in_all // 2))
        places[_Place("from one network", level.network)] = most
    places[_PROCESS] = config.sockets_in_all
    return places


class _Socket:
    """One socket from its handshake to its end."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._joined = self._said_goodbye = False
        self._waiting_since = time.monotonic()
        self._over = False
        self._frames_left, self._counted_at = float(FRAMES_AT_ONCE), self._waiting_since
        self._patience = asyncio.timeout(None)

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Serve the socket. A refused socket is dropped after CLOSE_WITHIN, even if its peer reads nothing."""
        try:
            async with self._patience:
                await app(scope, self.receive, self.send)
        except TimeoutError:
            if not self._patience.expired():
                raise

    async def receive(self) -> Message:
        """The next frame if it may pass. For any other frame the socket ends."""
        if self._over:
            return _GONE
        if self._said_goodbye:
            # Engine.IO has seen the goodbye, but would keep the socket for another 20 seconds, without a ping.
            await self._end(NORMAL_CLOSURE)
            return _GONE
        try:
            message = await self._next()
            if message["type"] == "websocket.receive":
                self._judge(message)
        except Refused as refusal:
            log.warning("Socket closed: %s", refusal)
            await self._end(POLICY_VIOLATION)
            return _GONE
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the server sends, until the socket is over."""
        if not self._over:
            await self._send(message)

    async def _next(self) -> Message:
        if self._joined:
            return await self._receive()
        left = self._waiting_since + JOIN_WITHIN - time.monotonic()
        try:
            return await asyncio.wait_for(self._receive(), max(left, 0.0))
        except TimeoutError:
            raise Refused("it did not join") from None

    def _judge(self, message: Message) -> None:
        if not self._is_within_rate():
            raise Refused("too many frames")
        kind = kind_of(message.get("text"))
        self._said_goodbye = kind is Frame.END
        if kind is Frame.JOIN and not self._joined:
            self._joined = True
        elif kind is Frame.LEAVE and self._joined:
            self._joined, self._waiting_since = False, time.monotonic()
        elif kind in (Frame.JOIN, Frame.LEAVE, Frame.EVENT) and not (kind is Frame.EVENT and self._joined):
            raise Refused("a frame out of order")

    def _is_within_rate(self) -> bool:
        """Take a frame out of a bucket of 60, which gains 20 a second. No patient's hand is faster."""
        now = time.monotonic()
        refilled = self._frames_left + (now - self._counted_at) * FRAMES_PER_SECOND
        self._frames_left, self._counted_at = min(float(FRAMES_AT_ONCE), refilled) - 1, now
        return self._frames_left >= 0

    async def _end(self, code: int) -> None:
        self._over = True
        self._patience.reschedule(asyncio.get_running_loop().time() + CLOSE_WITHIN)
        await self._send({"type": "websocket.close", "code": code})
