"""HTTP/1.1 on the wire: uvicorn's protocol over h11, with deadlines for what a client begins and does not finish.

It relies on internals that uvicorn does not promise to keep (tests/web/wire/test_library_facts.py). So uvicorn's version is pinned.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MAX_HEAD = 16 * 1024  # bytes of a request's head; the largest honest heads carry cookies of other sites of the domain
# Seconds for a request's head, counted from the connection or from the answer before it. If an answer did not wait for the rest of its
# request's body, that rest has the same time.
HEAD_WITHIN = 10
READ_WITHIN = 60  # seconds for a client to take 48 KB: 0.8 KB/s


class WireConfig(uvicorn.Config):
    """uvicorn's settings, and the most connections that may be open. `waiting`: those without a request, the longest wait first."""

    def __init__(self, target: Any, most_connections: int, **settings: Any) -> None:
        super().__init__(target, **settings)
        self.most_connections = most_connections
        self.waiting: dict[GuardedHttp, None] = {}


class GuardedHttp(H11Protocol):
    """One HTTP connection, until it ends or becomes a websocket."""

    config: WireConfig

    def __init__(
        self,
        config: WireConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection. With no room left, drop the connection that has waited longest without a request, or else this one."""
        super().connection_made(transport)
        if len(self.connections) > self.config.most_connections:
            next(iter(self.config.waiting), self).transport.abort()
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._expect_nothing()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read the data in parts, because h11 checks its limit only while a head is incomplete."""
        for start in range(0, len(data), MAX_HEAD):
            if self._upgraded or self.transport.is_closing():
                return
            super().data_received(data[start : start + MAX_HEAD])

    def handle_events(self) -> None:
        """Start each complete request. A complete head ends the deadline."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._expect_nothing()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """The connection is a websocket's from here on."""
        self._upgraded = True
        self._expect_nothing()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Expect the next request."""
        if self.transport.is_closing():
            self._wait_until_read()
        else:
            self._expect_head()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client reads more slowly than the server answers."""
        self._wait_until_read()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def _wait_until_read(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(READ_WITHIN, self.transport.abort)

    def _expect_head(self) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(HEAD_WITHIN, self._is_late)
        self.config.waiting[self] = None

    def _expect_nothing(self) -> None:
        self.config.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _is_late(self) -> None:
        self._expect_nothing()
        self.transport.close()
        self._wait_until_read()
