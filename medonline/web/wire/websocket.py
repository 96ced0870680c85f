"""Websockets on the wire: uvicorn's protocol over `websockets`, with bounds on what a peer can make it hold or do.

The library answers each frame as soon as it is read, and keeps the fragments of a message one by one. A few megabytes of empty frames
would block the event loop for half a minute. So this module parses bytes in slices, counts every frame, whether or not it completes a
message, and keeps a message in one buffer. `web.sockets.gate` later checks what a message says.

It relies on internals that uvicorn and websockets do not promise to keep (tests/web/wire/test_library_facts.py). So both versions are
pinned.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets import http11
from websockets.frames import CloseCode, Frame, Opcode

from medonline.web.wire.bucket import Bucket
from medonline.web.wire.http import MAX_HEAD

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

log = logging.getLogger(__name__)

SLICE = 2048  # bytes; so at most 341 frames are parsed before they are counted
# Higher than the gate's own limits (60 messages at once, 20 a second), because the gate's refusals say more.
FRAMES_AT_ONCE, FRAMES_PER_SECOND = 90.0, 30.0
BYTES_AT_ONCE, BYTES_PER_SECOND = 128 * 1024.0, 32 * 1024.0
# Pings and pongs of the protocol itself. Browsers send no pings of their own. A proxy may send one now and then.
CONTROLS_AT_ONCE, CONTROLS_PER_SECOND = 10.0, 1.0
CLOSE_WITHIN = 2.0  # seconds for the peer to take a close and answer it
RESTART = "service restart"
_CONTROLS = frozenset({Opcode.PING, Opcode.PONG})
# h11 has read the request already. One line of it may be as long as the whole head, because the first line holds a tab's token.
http11.MAX_LINE_LENGTH = MAX_HEAD


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """One websocket, from the request that opens it to its end."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.close_timeout = CLOSE_WITHIN
        now = self.loop.time()
        self._frames_left = Bucket(FRAMES_AT_ONCE, FRAMES_PER_SECOND, now)
        self._bytes_left = Bucket(BYTES_AT_ONCE, BYTES_PER_SECOND, now)
        self._controls_left = Bucket(CONTROLS_AT_ONCE, CONTROLS_PER_SECOND, now)
        self._cut = False  # nothing more is read from the peer
        self._letting_go: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Parse the data in slices, and end the socket when one of its buckets is empty."""
        if not self.handshake_initiated:
            self._read_handshake(data)
            return
        if not self.handshake_complete:
            # A client must not send before the handshake is answered (RFC 6455, 4.1). The library would answer its pings.
            self.transport.abort()
            return
        for start in range(0, len(data), SLICE):
            if self._cut or self.transport.is_closing():
                return
            self._read(data[start : start + SLICE])

    def handle_cont(self, event: Frame) -> None:
        """Append the fragment to the earlier ones. Kept one by one, they would take fifty times the memory."""
        self.frames[0] += bytes(event.data)
        if event.fin:
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer a ping, unless the socket is over."""
        if not self._cut:
            super().handle_ping()

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message to the application. A text message that is not UTF-8 ends the socket."""
        if self._cut:
            return
        if self.curr_msg_data_type == "text":
            try:
                str(self.frames[0], "utf-8")
            except UnicodeDecodeError:
                self._end(CloseCode.INVALID_DATA)
                return
        super().send_receive_event_to_app()

    def shutdown(self) -> None:
        """The process ends: tell the peer to come back."""
        if not self.handshake_complete or self.close_sent or self.transport.is_closing():
            super().shutdown()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.SERVICE_RESTART, "reason": RESTART})
        self.conn.send_close(CloseCode.SERVICE_RESTART, RESTART)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()

    async def run_asgi(self) -> None:
        """Serve the socket. When the application has left it, drop the connection, even if the peer does not read."""
        await super().run_asgi()
        if not self.disconnected:
            self._letting_go = self.loop.call_later(2 * CLOSE_WITHIN, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._letting_go is not None:
            self._letting_go.cancel()
        super().connection_lost(exc)

    def _read_handshake(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # The library has its refusal ready, but uvicorn does not send it. The socket would stay silent and open for ever.
            log.warning("Socket refused: a handshake of another shape")
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _read(self, data: bytes) -> None:
        self.conn.receive_data(data)
        now, read = self.loop.time(), self.conn.events
        controls = sum(isinstance(one, Frame) and one.opcode in _CONTROLS for one in read)
        if not self._frames_left.take(len(read), now):
            self._refuse("too many frames")
        elif controls and not (self._controls_left.take(controls, now) and self.writable.is_set()):
            self._refuse("too many pings")  # or pings of a peer that does not take the answers
        elif self.conn.parser_exc is not None:
            self._let_go()
        elif not self._bytes_left.take(len(data), now):
            self._refuse("too many bytes")
        else:
            self.handle_events()

    def _refuse(self, why: str) -> None:
        log.warning("Socket closed: %s", why)
        self._end(CloseCode.POLICY_VIOLATION)

    def _end(self, code: CloseCode) -> None:
        self.conn.fail(code)
        self._let_go()

    def _let_go(self) -> None:
        """Send the close frame that the library has ready, and read no more.

        The connection stays open for a moment. If it were closed with unread data, it would be reset, and the peer might not see the frame.
        """
        self._cut = self.close_sent = self.disconnected = True
        close = self.conn.close_sent
        code, reason = (close.code, close.reason) if close else (CloseCode.ABNORMAL_CLOSURE, "")
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.events.clear()
        self.frames = []
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.read_paused = False  # otherwise the application's next look at the queue would resume reading
        self.transport.pause_reading()
        self.transport.write_eof()
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_WITHIN, self.transport.abort)
