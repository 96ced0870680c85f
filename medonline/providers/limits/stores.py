"""Moving windows in memory or in Redis. Each window holds the names of what it counts, sorted by time.

A silent Redis must not lock patients out. Until it answers again, each process counts for itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar, cast

from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge

from medonline.domain.limits import Limit
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.services.limits.windows import LimitStore, LimitStoreDown, Window

log = logging.getLogger(__name__)

T = TypeVar("T")
# The names of error classes, because the `limits` package hides the `redis` package.
_PASSWORD_REFUSED = frozenset({"AuthenticationError", "AuthenticationWrongNumberOfArgsError"})
_REQUEST_REFUSED = frozenset({"ResponseError", "NoPermissionError"})
SWEEP_EVERY_S = 60.0
ANSWER_WITHIN_S = 1.0
# How long a failed store is not asked again: a hung store would delay every request by a second.
LEFT_ALONE_S = 10.0

# The script checks all windows before it counts in any. Times come as texts, because Lua would round numbers.
_TAKE_ALL = """
for i, key in ipairs(KEYS) do
    local at = 3 * i
    if redis.call('zcount', key, ARGV[at + 1], '+inf') >= tonumber(ARGV[at]) then
        return i - 1
    end
end
for i, key in ipairs(KEYS) do
    local at = 3 * i
    redis.call('zremrangebyscore', key, '-inf', '(' .. ARGV[at + 1])
    redis.call('zadd', key, ARGV[1], ARGV[2])
    redis.call('expire', key, ARGV[at + 2])
end
return -1
"""
_RENAME = """
for i, key in ipairs(KEYS) do
    redis.call('zrem', key, ARGV[2])
    redis.call('zadd', key, ARGV[1], ARGV[3])
    redis.call('expire', key, ARGV[3 + i])
end
"""


class MemoryLimitStore:
    """Counts in this process. A restart forgets all. There is no `await` between a check and a count."""

    def __init__(self) -> None:
        self._counted: dict[str, dict[str, float]] = {}  # by window: name and time, the oldest first
        self._spans: dict[str, float] = {}
        self._swept_at = time.monotonic()

    async def full_until(self, limit: Limit, key: str) -> datetime | None:
        """See `LimitStore`."""
        counted = self._now_in((limit, key))
        if len(counted) < limit.count:
            return None
        oldest = next(islice(counted.values(), len(counted) - limit.count, None))
        return datetime.fromtimestamp(oldest, UTC) + limit.per

    async def counts(self, windows: Sequence[Window]) -> list[int]:
        """See `LimitStore`."""
        return [len(self._now_in(window)) for window in windows]

    async def members(self, limit: Limit, key: str) -> list[str]:
        """See `LimitStore`."""
        return list(self._now_in((limit, key)))

    async def take_all(self, windows: Sequence[Window], member: str) -> int | None:
        """See `LimitStore`."""
        self._sweep()
        for number, (limit, key) in enumerate(windows):
            if len(self._now_in((limit, key))) >= limit.count:
                return number
        for window in windows:
            self._count(window, member)
        return None

    async def rename(self, windows: Sequence[Window], member: str, name: str) -> None:
        """See `LimitStore`."""
        await self.give_back(windows, [member])
        for window in windows:
            self._count(window, name)

    async def give_back(self, windows: Sequence[Window], members: Sequence[str]) -> None:
        """See `LimitStore`."""
        for window in windows:
            counted = self._counted.get(_name(window), {})
            for member in members:
                counted.pop(member, None)

    async def forget(self, windows: Sequence[Window]) -> None:
        """See `LimitStore`."""
        for window in windows:
            self._counted.pop(_name(window), None)

    async def check(self) -> str:
        """See `LimitStore`."""
        return "counted in this process only, from zero after a restart"

    async def close(self) -> None:
        """Nothing to release."""

    @property
    def names(self) -> list[str]:
        """The names of the kept windows."""
        return list(self._counted)

    def _count(self, window: Window, member: str) -> None:
        name, now = _name(window), time.time()
        counted = self._counted.setdefault(name, {})
        counted.pop(member, None)
        counted[member] = now
        self._spans[name] = window[0].per.total_seconds()

    def _now_in(self, window: Window) -> dict[str, float]:
        counted = self._counted.get(_name(window), {})
        _let_go(counted, time.time() - window[0].per.total_seconds())
        return counted

    def _sweep(self) -> None:
        """Look through all windows once in a while. Windows that nobody asks for would otherwise stay for ever."""
        if time.monotonic() - self._swept_at < SWEEP_EVERY_S:
            return
        self._swept_at, now = time.monotonic(), time.time()
        for name in list(self._spans):
            counted = self._counted.get(name, {})
            _let_go(counted, now - self._spans[name])
            if not counted:
                self._counted.pop(name, None)
                del self._spans[name]


class RedisLimitStore:
    """Counts in Redis, together with the other processes. While Redis does not answer, it counts in this process."""

    def __init__(self, address: str, alarms: Alarms) -> None:
        self._storage = redis_at(address)
        self._alarms = alarms
        self._take_all = self._connection.register_script(_TAKE_ALL)
        self._rename = self._connection.register_script(_RENAME)
        self._meanwhile = MemoryLimitStore()
        self._again_at = 0.0

    async def full_until(self, limit: Limit, key: str) -> datetime | None:
        """See `LimitStore`."""

        async def ask() -> datetime | None:
            last = limit.count - 1
            found = await self._connection.zrevrange(self._key((limit, key)), last, last, withscores=True)
            until = datetime.fromtimestamp(found[0][1], UTC) + limit.per if found else None
            return until if until is not None and until.timestamp() >= time.time() else None

        return await self._or_here(ask, lambda here: here.full_until(limit, key))

    async def counts(self, windows: Sequence[Window]) -> list[int]:
        """See `LimitStore`."""

        async def ask() -> list[int]:
            async with self._connection.pipeline(transaction=False) as pipeline:
                for window in windows:
                    pipeline.zcount(self._key(window), _since(window), "+inf")
                return [int(count) for count in await pipeline.execute()]

        return await self._or_here(ask, lambda here: here.counts(windows))

    async def members(self, limit: Limit, key: str) -> list[str]:
        """See `LimitStore`."""

        async def ask() -> list[str]:
            window = (limit, key)
            found = await self._connection.zrangebyscore(self._key(window), _since(window), "+inf")
            return [member.decode() for member in found]

        return await self._or_here(ask, lambda here: here.members(limit, key))

    async def take_all(self, windows: Sequence[Window], member: str) -> int | None:
        """See `LimitStore`."""

        async def ask() -> int | None:
            facts = [fact for window in windows for fact in (window[0].count, _since(window), _kept_s(window))]
            if not windows:
                return None
            full = int(await self._take_all(self._keys(windows), [repr(time.time()), member, *facts]))
            return None if full < 0 else full

        return await self._or_here(ask, lambda here: here.take_all(windows, member))

    async def rename(self, windows: Sequence[Window], member: str, name: str) -> None:
        """See `LimitStore`."""

        async def ask() -> None:
            if windows:
                await self._rename(self._keys(windows), [repr(time.time()), member, name, *map(_kept_s, windows)])

        await self._or_here(ask, lambda here: here.rename(windows, member, name))

    async def give_back(self, windows: Sequence[Window], members: Sequence[str]) -> None:
        """See `LimitStore`."""

        async def ask() -> None:
            async with self._connection.pipeline(transaction=False) as pipeline:
                for window in windows:
                    pipeline.zrem(self._key(window), *members)
                await pipeline.execute()

        # This also removes what was counted here while Redis did not answer.
        await self._meanwhile.give_back(windows, members)
        if windows and members:
            await self._or_here(ask, lambda here: here.give_back(windows, members))

    async def forget(self, windows: Sequence[Window]) -> None:
        """See `LimitStore`."""

        async def ask() -> None:
            await self._connection.delete(*self._keys(windows))

        await self._meanwhile.forget(windows)
        if windows:
            await self._or_here(ask, lambda here: here.forget(windows))

    async def check(self) -> str:
        """See `LimitStore`."""
        try:
            await self._connection.ping()
        except self._storage.base_exceptions as error:
            if type(error).__name__ in _PASSWORD_REFUSED or "NOAUTH" in str(error):
                msg = (
                    "Redis answers and refuses the password of MEDONLINE_LIMITS_STORAGE: each process counts for itself"
                )
            elif type(error).__name__ in _REQUEST_REFUSED:
                msg = (
                    "Redis answers and does not take what MEDONLINE_LIMITS_STORAGE asks (the number of the database, the rights of "
                    "the user): each process counts for itself"
                )
            else:
                msg = "Redis does not answer: each process counts for itself"
            raise LimitStoreDown(msg) from None
        return "Redis answers"

    async def close(self) -> None:
        """Release connections."""
        await self._connection.aclose()

    @property
    def _connection(self) -> Any:
        return connection_of(self._storage)

    async def _or_here(self, ask: Callable[[], Awaitable[T]], here: Callable[[LimitStore], Awaitable[T]]) -> T:
        """The answer of Redis, or the answer of this process's own count while Redis is silent."""
        if time.monotonic() < self._again_at:
            return await here(self._meanwhile)
        try:
            return await ask()
        except self._storage.base_exceptions as error:
            self._again_at = time.monotonic() + LEFT_ALONE_S
            # The error's text may hold the address with its password, so the alarm names only its type.
            self._alarms.sound(
                Alarm.LIMIT_STORE_DOWN,
                f"the store of limits does not answer ({type(error).__name__}): counting in this process",
                of="limits",
            )
            return await here(self._meanwhile)

    def _key(self, window: Window) -> str:
        return self._storage.bridge.prefixed_key(_name(window))

    def _keys(self, windows: Sequence[Window]) -> list[str]:
        return [self._key(window) for window in windows]


def redis_at(address: str) -> RedisStorage:
    """Redis as the `limits` package opens it, with a timeout of `ANSWER_WITHIN_S`."""
    return RedisStorage(
        f"async+{address}",
        implementation="redispy",
        key_prefix="medonline-limits",
        socket_timeout=ANSWER_WITHIN_S,
        socket_connect_timeout=ANSWER_WITHIN_S,
    )


def connection_of(storage: RedisStorage) -> Any:
    """The client of the `redis` package that the `limits` package holds."""
    return cast(RedispyBridge, storage.bridge).storage


def _name(window: Window) -> str:
    limit, key = window
    return f"{key}/{limit.per.total_seconds():.0f}"


def _since(window: Window) -> str:
    """The start of the window (Unix seconds), as a text for Redis."""
    return repr(time.time() - window[0].per.total_seconds())


def _kept_s(window: Window) -> int:
    return int(window[0].per.total_seconds()) + 1


def _let_go(counted: dict[str, float], before: float) -> None:
    """Drop what was counted before a time. The oldest entries come first."""
    while counted:
        oldest = next(iter(counted))
        if counted[oldest] >= before:
            return
        del counted[oldest]
