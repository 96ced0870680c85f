"""Places are counted over processes, and no one keeps what a dead process held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from medonline.providers.limits import places
from medonline.providers.limits.places import RedisPlaces, UncountedPlaces
from medonline.services.clock import utc_now
from medonline.services.limits.alarms import Alarms
from tests.patience import PATIENCE
from tests.providers.limits.redis_server import RedisServer, redis

__all__ = ["redis"]

ROOM = {"of one visitor": 2, "from one network": 3}


@pytest.fixture
async def two(redis: RedisServer) -> AsyncIterator[tuple[RedisPlaces, RedisPlaces]]:
    """Two processes."""
    here, there = RedisPlaces(redis.address, Alarms(utc_now)), RedisPlaces(redis.address, Alarms(utc_now))
    yield here, there
    await here.close()
    await there.close()


async def test_what_one_process_holds_is_taken_at_the_other(two: tuple[RedisPlaces, RedisPlaces]) -> None:
    here, there = two
    assert await here.take(ROOM) is None
    assert await there.take(ROOM) is None
    assert await here.take(ROOM) == "of one visitor"
    assert await there.take(ROOM) == "of one visitor"
    await there.give_back(ROOM)

    assert await here.take(ROOM) is None
    assert await here.take({"of another": 2, "from one network": 2}) == "from one network"
    assert await there.take({"of another": 1}) is None  # nothing was taken by the refusal


async def test_under_parallel_calls_there_are_never_more(two: tuple[RedisPlaces, RedisPlaces]) -> None:
    answers = await asyncio.gather(*(one.take({"of one": 7}) for _ in range(20) for one in two))

    assert sorted(map(str, answers)) == sorted(["None"] * 7 + ["of one"] * 33)


async def test_what_a_process_held_is_free_when_it_no_longer_says_that_it_lives(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LIVES_S", 1)
    monkeypatch.setattr(places, "SAYS_SO_EVERY_S", 0.1)
    dead, living = RedisPlaces(redis.address, Alarms(utc_now)), RedisPlaces(redis.address, Alarms(utc_now))
    saying = asyncio.create_task(living.run())
    assert await dead.take({"of one": 2}) is None
    assert await living.take({"of one": 2}) is None
    async with asyncio.timeout(PATIENCE):
        while await living.take({"of one": 2}) is not None:
            await asyncio.sleep(0.1)

    assert await living.take({"of one": 2}) == "of one"  # its own are held still
    saying.cancel()
    await living.close()
    await dead.close()


async def test_a_process_that_ends_in_order_leaves_nothing(redis: RedisServer) -> None:
    gone, here = RedisPlaces(redis.address, Alarms(utc_now)), RedisPlaces(redis.address, Alarms(utc_now))
    assert await gone.take({"of one": 1}) is None
    await gone.close()

    assert await here.take({"of one": 1}) is None
    await here.close()


async def test_a_redis_that_forgot_is_told_again(two: tuple[RedisPlaces, RedisPlaces]) -> None:
    here, there = two
    assert await here.take({"of one": 2}) is None
    assert await there.take({"of another": 2}) is None
    await here._redis.flushall()
    assert await here.take({"of one": 2}) is None

    assert await there.take({"of one": 2}) == "of one"
    assert await there.take({"of another": 2}) is None
    assert await here.take({"of another": 2}) == "of another"


async def test_without_redis_everybody_is_let_in_and_what_is_held_is_told_when_it_is_back(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(places, "LEFT_ALONE_S", 0.0)
    here, there = RedisPlaces(redis.address, Alarms(utc_now)), RedisPlaces(redis.address, Alarms(utc_now))
    assert await here.take({"of one": 2}) is None
    redis.stop()
    assert await here.take({"of one": 2}) is None
    assert await here.take({"of one": 2}) is None
    await here.give_back({"of one": 2})
    assert "ALARM limit-store-down: Redis does not answer" in caplog.text
    assert redis.address not in caplog.text
    redis.start()

    assert await here.take({"of another": 1}) is None  # two are held still, and told with this one
    assert await there.take({"of one": 2}) == "of one"
    await here.close()
    await there.close()


async def test_a_process_alone_counts_for_itself() -> None:
    assert await UncountedPlaces().take({"of one": 0}) is None
