"""Open sockets of all processes, counted in Redis. Every process keeps its own number under each name. The numbers of a process that
no longer renews its key are ignored."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from medonline.providers.limits.stores import LEFT_ALONE_S, connection_of, redis_at
from medonline.services.limits.alarms import Alarm, Alarms

log = logging.getLogger(__name__)

PREFIX = "medonline-places:"
LIVES_S = 30
SAYS_SO_EVERY_S = 10.0
KEPT_S = 24 * 3600  # longer than any socket stays open

_TAKE = """
if redis.call('exists', KEYS[1]) == 0 then
    return -2
end
for i = 2, #KEYS do
    local taken = 0
    local held = redis.call('hgetall', KEYS[i])
    for j = 1, #held, 2 do
        if redis.call('exists', ARGV[#KEYS + 1] .. held[j]) == 1 then
            taken = taken + tonumber(held[j + 1])
        else
            redis.call('hdel', KEYS[i], held[j])
        end
    end
    if taken >= tonumber(ARGV[i]) then
        return i - 2
    end
end
for i = 2, #KEYS do
    redis.call('hincrby', KEYS[i], ARGV[1], 1)
    redis.call('expire', KEYS[i], tonumber(ARGV[#KEYS + 2]))
end
return -1
"""
_GIVE_BACK = """
for i = 1, #KEYS do
    if redis.call('hincrby', KEYS[i], ARGV[1], -1) <= 0 then
        redis.call('hdel', KEYS[i], ARGV[1])
    end
end
"""
_NOT_KNOWN, _TAKEN = -2, -1


class UncountedPlaces:
    """For a single process. It counts and refuses nothing, because the gate's own count (`web.sockets.gate`) is enough."""

    async def take(self, wanted: Mapping[str, int]) -> str | None:
        """See `Places`."""
        return None

    async def give_back(self, names: Iterable[str]) -> None:
        """See `Places`."""

    async def run(self) -> None:
        """See `Places`."""

    async def close(self) -> None:
        """See `Places`."""


class RedisPlaces:
    """See `Places`."""

    def __init__(self, address: str, alarms: Alarms) -> None:
        self._storage = redis_at(address)
        self._alarms = alarms
        self._process = secrets.token_hex(8)
        self._lives = f"{PREFIX}lives:"
        self._held: Counter[str] = Counter()
        self._told = False  # whether Redis has the numbers of this process
        self._again_at = 0.0
        # Danger: writing all numbers to Redis while another place is being taken would undo that place.
        self._one_at_a_time = asyncio.Lock()
        self._take = self._redis.register_script(_TAKE)
        self._give_back = self._redis.register_script(_GIVE_BACK)

    async def take(self, wanted: Mapping[str, int]) -> str | None:
        """See `Places`."""
        async with self._one_at_a_time:
            return await self._take_now(wanted)

    async def _take_now(self, wanted: Mapping[str, int]) -> str | None:
        names = list(wanted)
        if self._is_left_alone():
            self._held.update(names)
            self._told = False
            return None
        keys = [f"{self._lives}{self._process}", *(PREFIX + name for name in names)]
        values = [self._process, *wanted.values(), self._lives, KEPT_S]
        try:
            if not self._told:
                await self._tell()
            found = int(await self._take(keys, values))
            if found == _NOT_KNOWN:
                await self._tell()
                found = int(await self._take(keys, values))
        except self._storage.base_exceptions as error:
            self._leave_alone(error)
            found = _TAKEN
        if found >= 0:
            return names[found]
        self._held.update(names)
        return None

    async def give_back(self, names: Iterable[str]) -> None:
        """See `Places`."""
        async with self._one_at_a_time:
            await self._give_back_now(list(names))

    async def _give_back_now(self, names: list[str]) -> None:
        self._held.subtract(names)
        for name in names:
            if self._held[name] <= 0:
                del self._held[name]
        if self._is_left_alone() or not self._told:
            self._told = False
            return
        try:
            await self._give_back([PREFIX + name for name in names], [self._process])
        except self._storage.base_exceptions as error:
            self._leave_alone(error)

    async def run(self) -> None:
        """See `Places`."""
        while True:
            async with self._one_at_a_time:
                await self._say_that_it_lives()
            await asyncio.sleep(SAYS_SO_EVERY_S)

    async def _say_that_it_lives(self) -> None:
        if self._is_left_alone():
            return
        try:
            if not (self._told and await self._redis.expire(f"{self._lives}{self._process}", LIVES_S)):
                await self._tell()
        except self._storage.base_exceptions as error:
            self._leave_alone(error)

    async def close(self) -> None:
        """Free the places of this process and release connections."""
        try:
            await self._redis.delete(f"{self._lives}{self._process}")
        except self._storage.base_exceptions as error:
            self._leave_alone(error)
        await self._redis.aclose()

    async def _tell(self) -> None:
        """Write all numbers of this process to Redis, after a start and when Redis may have lost or missed something."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(f"{self._lives}{self._process}", 1, ex=LIVES_S)
            for name, count in self._held.items():
                pipeline.hset(PREFIX + name, self._process, count)
                pipeline.expire(PREFIX + name, KEPT_S)
            await pipeline.execute()
        self._told = True

    @property
    def _redis(self) -> Any:
        return connection_of(self._storage)

    def _is_left_alone(self) -> bool:
        return time.monotonic() < self._again_at

    def _leave_alone(self, error: Exception) -> None:
        self._told = False
        self._again_at = time.monotonic() + LEFT_ALONE_S
        # The error's text may hold the address with its password, so the alarm names only its type.
        self._alarms.sound(
            Alarm.LIMIT_STORE_DOWN,
            f"Redis does not answer ({type(error).__name__}): each process counts its own sockets",
            of="sockets",
        )
