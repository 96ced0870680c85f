"""uvicorn's server with an orderly stop, which a balancer and open pages can follow. A good stop ends with success."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from medonline.web.wire.http import WireConfig

log = logging.getLogger(__name__)

LOOK = 0.1  # seconds


class OrderlyServer(uvicorn.Server):
    """Serves until SIGTERM or SIGINT.

    who: the server's name in the log, such as «medonline 1.2.3 (production)».
    stopping: called in the server's loop when the stop begins.
    drain: seconds from the signal until the server takes no new connection. A second signal cuts them short.
    """

    def __init__(self, config: WireConfig, who: str, stopping: Callable[[], None], drain: float) -> None:
        super().__init__(config)
        self._who = who
        self._stopping = stopping
        self._drain = drain
        self._in_haste = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen."""
        await super().startup(sockets)
        if self.started:
            log.info("Started: %s serves %s", self._who, ", ".join(_address_of(one) for one in sockets or ()))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, close the listening sockets, let requests finish, send the open pages away, close the application."""
        self._stopping()
        if self._drain:
            log.info("Told to end: not ready any more, and no new connection after %s s", format(self._drain, "g"))
        ends = time.monotonic() + self._drain
        while time.monotonic() < ends and not self._in_haste:
            await self.on_tick(0)  # keeps the Date header of the answers current
            await asyncio.sleep(min(LOOK, self._drain))
        log.info("Stopping: no new connection; what is under way is finished")
        await super().shutdown(sockets)
        log.info("Stopped: %s", self._who)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals without raising them again at the end, as uvicorn does: a good stop would then look like a crash."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop. A second signal skips the drain."""
        self._in_haste = self.should_exit
        self.should_exit = True


def _address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
