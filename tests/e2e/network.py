"""A bad network on the way to a server: slow, lossy, cut, or silent. It is a TCP proxy on the loopback, in its own thread."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Any

CHUNK = 16 * 1024


@dataclass
class Network:
    """Carries bytes between browsers and the server at `to`.

    delay: seconds in one direction, for each piece of data.
    loss: the share of pieces that get lost. TCP sends such a piece again, `again` seconds later.
    silent: data goes nowhere, and neither side learns that the other one has closed.
    """

    to: int
    delay: float = 0.0
    loss: float = 0.0
    again: float = 1.0
    silent: bool = False
    port: int = 0
    cuts: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _random: random.Random = field(default_factory=lambda: random.Random(18))
    _cutting: Any = None
    _thread: Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Network:
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._run(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break every connection without notice."""
        self._run(self._cut())

    def cut_every(self, seconds: float) -> None:
        """Cut all connections again and again, until the end."""

        async def begin() -> None:
            self._cutting = asyncio.create_task(self._cut_again(seconds))

        self._run(begin())

    def stop_cutting(self) -> None:
        """From now on connections last; they stay slow and lossy."""
        if self._cutting is not None:
            self._loop.call_soon_threadsafe(self._cutting.cancel)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pipe(reader, back))
                ways.create_task(self._pipe(there, writer))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward the pieces in order: a delayed piece holds back those behind it, as in TCP."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            while True:
                data = await reader.read(CHUNK)
                lost = self.again if self._random.random() < self.loss else 0.0
                await pieces.put((self._loop.time() + self.delay + lost, data))
                if not data:
                    return

        reading = asyncio.create_task(read())
        try:
            while True:
                due, data = await pieces.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not data:
                    writer.write_eof()
                    return
                if self.silent:
                    continue
                writer.write(data)
                await writer.drain()
        finally:
            reading.cancel()

    async def _cut(self) -> None:
        self.cuts += 1
        for writer in list(self._open):
            writer.transport.abort()

    async def _cut_again(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._cut()

    async def _end(self) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
        self._server.close()
        await self._cut()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
