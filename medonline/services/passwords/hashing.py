"""Argon2id in threads: as many at once as there are cores, behind a bounded queue.

Parameters: m = 19456 KiB, t = 2, p = 1 (OWASP Password Storage Cheat Sheet). The implementation is libsodium's, through PyNaCl.
    benchmarks/password_hashing.py shows its effect on the event loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from nacl import pwhash
from nacl.exceptions import InvalidkeyError

from medonline.domain.errors import Busy
from medonline.metrics import names as metrics

OPS = 2
MEMORY_BYTES = 19456 * 1024
# Two cores hash some fifty passwords a second, so a full queue is served within five seconds. With a queue of 64 and a wait of two seconds,
# 64 patients at once on a busy machine were told to come back (benchmarks/journey.py), and then queued again.
QUEUE = 256
MAX_WAIT = timedelta(seconds=8)
RETRY_IN = timedelta(seconds=5)
T = TypeVar("T")
_CURRENT_PREFIX = f"$argon2id$v=19$m={MEMORY_BYTES // 1024},t={OPS},p=1$"


class PasswordHasher:
    """Hashes and verifies without blocking the event loop."""

    def __init__(self, cores: int | None = None, queue: int = QUEUE, max_wait: timedelta = MAX_WAIT) -> None:
        at_once = cores or os.cpu_count() or 1
        self._most = at_once + queue
        self._max_wait = max_wait
        self._in_hand = 0
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        # An unknown phone's password is compared with this hash, so that it takes the same work as a known one's.
        self._nobody = _hash(os.urandom(16).hex())

    async def hash(self, password: str) -> str:
        """The encoded hash of a normalised password.

        Raises:
            Busy: the queue is full, or no core became free in time.
        """
        return await self._run(lambda: _hash(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password belongs to the hash. It takes the same time for an account that does not exist (None).

        Raises:
            Busy: as for `hash`.
        """
        matches = await self._run(lambda: _verify(encoded or self._nobody, password))
        return matches and encoded is not None

    @staticmethod
    def is_outdated(encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return not encoded.startswith(_CURRENT_PREFIX)

    def close(self) -> None:
        """Stop the threads after their work is done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._in_hand >= self._most:
            metrics.HASHING_BUSY.add()
            raise Busy(RETRY_IN)
        # The queue is at the threads and not here. So a free thread takes the next password at once, however busy the event loop is: with
        # 64 patients it is busy for longer than a hash takes.
        running = self._threads.submit(work)
        answer = asyncio.wrap_future(running)
        self._in_hand += 1
        metrics.HASHING.change(+1)
        try:
            await asyncio.wait({answer}, timeout=self._max_wait.total_seconds())
            if running.cancel():  # it has not begun
                metrics.HASHING_BUSY.add()
                raise Busy(RETRY_IN)
            return await answer
        finally:
            answer.cancel()  # the caller is gone
            self._in_hand -= 1
            metrics.HASHING.change(-1)


def _hash(password: str) -> str:
    return pwhash.argon2id.str(password.encode(), opslimit=OPS, memlimit=MEMORY_BYTES).decode("ascii")


def _verify(encoded: str, password: str) -> bool:
    try:
        return bool(pwhash.verify(encoded.encode("ascii"), password.encode()))
    except InvalidkeyError:
        return False
