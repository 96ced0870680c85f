"""Moving windows in memory or in Redis, by the `limits` package.

A Redis that does not answer must not lock patients out: until it answers again each process counts for itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.storage.memory import Entry
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter

from medonline.domain.limits import Limit
from medonline.services.limits.request_limits import LimitStoreDown

log = logging.getLogger(__name__)

SWEEP_EVERY_S = 60.0
ANSWER_WITHIN_S = 1.0
# How long a store that failed is left alone: a hung one would cost every request a second.
LEFT_ALONE_S = 10.0


class _SweptMemory(MemoryStorage):
    """The package looks through all keys, each in a thread, after every hit: with thousands of keys a core is busy with
    nothing else. Here they are looked through once a minute; what is over does not count meanwhile either."""

    _swept_at = 0.0

    async def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 (the package's private name)
        now = time.monotonic()
        if now - self._swept_at < SWEEP_EVERY_S:
            return
        self._swept_at = now
        for key, events in list(self.events.items()):
            self.events[key] = [event for event in events if event.expiry >= time.time()]
            if not self.events[key]:
                del self.events[key]
                self.locks.pop(key, None)

    async def acquire_all(self, windows: Sequence[tuple[str, int, int]]) -> int | None:
        """See `LimitStore.take_all`; key, limit and seconds of each. Nothing waits between the look and the count."""
        await self._MemoryStorage__schedule_expiry()
        now = time.time()
        for number, (key, limit, expiry) in enumerate(windows):
            events = self.events.get(key, [])
            if len(events) >= limit and events[limit - 1].atime >= now - expiry:
                return number
        for key, _, expiry in windows:
            self.events.setdefault(key, [])[:0] = [Entry(expiry)]
        return None

    def give_back(self, keys: Sequence[str]) -> None:
        """See `LimitStore.give_back`."""
        for key in keys:
            if events := self.events.get(key):
                del events[0]


# The package's own script for one window (acquire_moving_window.lua), for several: first all are looked at.
_ACQUIRE_ALL = """
local now = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
    local entry = redis.call('lindex', key, tonumber(ARGV[2 * i]) - 1)
    if entry and tonumber(entry) >= now - tonumber(ARGV[2 * i + 1]) then
        return i - 1
    end
end
for i, key in ipairs(KEYS) do
    redis.call('lpush', key, ARGV[1])
    redis.call('ltrim', key, 0, tonumber(ARGV[2 * i]) - 1)
    redis.call('expire', key, tonumber(ARGV[2 * i + 1]))
end
return -1
"""


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.count, max(round(limit.per.total_seconds()), 1), namespace="medonline")


class MemoryLimitStore:
    """Counts in this process; a restart forgets."""

    def __init__(self) -> None:
        self._storage = _SweptMemory()
        self._limiter = MovingWindowRateLimiter(self._storage)

    async def full_until(self, limit: Limit, key: str) -> datetime | None:
        """See `LimitStore`."""
        return await _full_until(self._limiter, limit, key)

    async def take(self, limit: Limit, key: str) -> bool:
        """See `LimitStore`."""
        return await self._limiter.hit(_item(limit), key)

    async def take_all(self, windows: Sequence[tuple[Limit, str]]) -> int | None:
        """See `LimitStore`."""
        return await self._storage.acquire_all(_named(windows))

    async def give_back(self, windows: Sequence[tuple[Limit, str]]) -> None:
        """See `LimitStore`."""
        self._storage.give_back([key for key, _, _ in _named(windows)])

    async def forget(self, limit: Limit, key: str) -> None:
        """See `LimitStore`."""
        await self._limiter.clear(_item(limit), key)

    async def check(self) -> str:
        """See `LimitStore`."""
        return "counted in this process only, and anew after a restart"

    async def close(self) -> None:
        """Nothing to release."""


class RedisLimitStore:
    """Counts in Redis, together with the other processes; while it does not answer, in this process."""

    def __init__(self, address: str) -> None:
        self._storage = RedisStorage(
            f"async+{address}",
            implementation="redispy",
            key_prefix="medonline-limits",
            socket_timeout=ANSWER_WITHIN_S,
            socket_connect_timeout=ANSWER_WITHIN_S,
        )
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._acquire_all = self._connection.register_script(_ACQUIRE_ALL)
        self._meanwhile = MemoryLimitStore()
        self._again_at = 0.0

    async def full_until(self, limit: Limit, key: str) -> datetime | None:
        """See `LimitStore`."""
        if self._is_left_alone():
            return await self._meanwhile.full_until(limit, key)
        try:
            return await _full_until(self._limiter, limit, key)
        except self._storage.base_exceptions as error:
            self._leave_alone(error)
            return await self._meanwhile.full_until(limit, key)

    async def take(self, limit: Limit, key: str) -> bool:
        """See `LimitStore`."""
        if self._is_left_alone():
            return await self._meanwhile.take(limit, key)
        try:
            return await self._limiter.hit(_item(limit), key)
        except self._storage.base_exceptions as error:
            self._leave_alone(error)
            return await self._meanwhile.take(limit, key)

    async def take_all(self, windows: Sequence[tuple[Limit, str]]) -> int | None:
        """See `LimitStore`."""
        if self._is_left_alone():
            return await self._meanwhile.take_all(windows)
        named = _named(windows)
        keys = [self._storage.bridge.prefixed_key(key) for key, _, _ in named]
        numbers = [number for _, limit, expiry in named for number in (limit, expiry)]
        try:
            full = int(await self._acquire_all(keys, [time.time(), *numbers]))
        except self._storage.base_exceptions as error:
            self._leave_alone(error)
            return await self._meanwhile.take_all(windows)
        return None if full < 0 else full

    async def give_back(self, windows: Sequence[tuple[Limit, str]]) -> None:
        """See `LimitStore`."""
        if self._is_left_alone():
            return await self._meanwhile.give_back(windows)
        try:
            async with self._connection.pipeline(transaction=False) as pipeline:
                for key, _, _ in _named(windows):
                    pipeline.lpop(self._storage.bridge.prefixed_key(key))
                await pipeline.execute()
        except self._storage.base_exceptions as error:
            self._leave_alone(error)

    async def forget(self, limit: Limit, key: str) -> None:
        """See `LimitStore`."""
        await self._meanwhile.forget(limit, key)
        if self._is_left_alone():
            return
        try:
            await self._limiter.clear(_item(limit), key)
        except self._storage.base_exceptions as error:
            self._leave_alone(error)

    async def check(self) -> str:
        """See `LimitStore`."""
        if not await self._storage.check():
            msg = "Redis does not answer: each process counts for itself"
            raise LimitStoreDown(msg)
        return "Redis answers"

    async def close(self) -> None:
        """Release connections."""
        await self._connection.aclose()

    @property
    def _connection(self) -> Any:
        return cast(RedispyBridge, self._storage.bridge).storage

    def _is_left_alone(self) -> bool:
        return time.monotonic() < self._again_at

    def _leave_alone(self, error: Exception) -> None:
        self._again_at = time.monotonic() + LEFT_ALONE_S
        # The error's text may hold the address with its password: only its name is written.
        log.error("ALARM the store of limits does not answer (%s): counting in this process", type(error).__name__)


def _named(windows: Sequence[tuple[Limit, str]]) -> list[tuple[str, int, int]]:
    """The package's own key, limit and seconds of each window."""
    items = [(_item(limit), key) for limit, key in windows]
    return [(item.key_for(key), item.amount, item.get_expiry()) for item, key in items]


async def _full_until(limiter: MovingWindowRateLimiter, limit: Limit, key: str) -> datetime | None:
    stats = await limiter.get_window_stats(_item(limit), key)
    return datetime.fromtimestamp(stats.reset_time, UTC) if stats.remaining <= 0 else None
