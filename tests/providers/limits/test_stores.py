"""One contract for both stores of moving windows; Redis is a server started for these tests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from medonline.domain.limits import Limit
from medonline.providers.limits import stores
from medonline.providers.limits.stores import MemoryLimitStore, RedisLimitStore
from medonline.services.limits.request_limits import LimitStore, LimitStoreDown
from tests.providers.limits.redis_server import PASSWORD, RedisServer
from tests.services.world import MovableClock, limits_by

FIVE = Limit(5, timedelta(minutes=15))


@pytest.fixture
def clock() -> Iterator[MovableClock]:
    clock = MovableClock()
    with limits_by(clock):
        yield clock


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, clock: MovableClock) -> AsyncIterator[LimitStore]:
    address = request.getfixturevalue("redis").address if request.param == "redis" else ""
    store: LimitStore = RedisLimitStore(address) if address else MemoryLimitStore()
    yield store
    await store.close()


async def test_the_last_is_taken_the_next_refused_and_taken_again_when_the_window_moved(
    store: LimitStore, clock: MovableClock
) -> None:
    first = clock.now
    for _ in range(5):
        assert await store.full_until(FIVE, "k") is None
        assert await store.take(FIVE, "k")
        clock.move(minutes=1)

    assert not await store.take(FIVE, "k")
    until = await store.full_until(FIVE, "k")
    assert until is not None
    assert abs(until - (first + FIVE.per)) < timedelta(milliseconds=1)
    clock.now = until - timedelta(seconds=1)
    assert not await store.take(FIVE, "k")
    clock.now = until + timedelta(seconds=1)
    assert await store.take(FIVE, "k")
    assert not await store.take(FIVE, "k")


async def test_a_refused_one_is_not_counted(store: LimitStore, clock: MovableClock) -> None:
    for _ in range(20):
        await store.take(FIVE, "k")
        clock.move(minutes=1)

    assert await store.take(FIVE, "k")


async def test_keys_and_limits_are_counted_apart(store: LimitStore) -> None:
    for _ in range(5):
        await store.take(FIVE, "k")

    assert await store.take(FIVE, "another")
    assert await store.take(Limit(5, timedelta(hours=1)), "k")


async def test_a_forgotten_window_begins_anew(store: LimitStore) -> None:
    for _ in range(5):
        await store.take(FIVE, "k")
    await store.forget(FIVE, "k")

    assert await store.full_until(FIVE, "k") is None
    assert await store.take(FIVE, "k")


async def test_fifty_at_once_are_five(store: LimitStore) -> None:
    assert sum(await asyncio.gather(*(store.take(FIVE, "k") for _ in range(50)))) == 5


async def test_of_several_windows_all_count_or_none(store: LimitStore, clock: MovableClock) -> None:
    narrow, wide = Limit(2, timedelta(hours=1)), Limit(3, timedelta(hours=1))
    one, other, around = (narrow, "one"), (narrow, "other"), (wide, "around")
    taken = [await store.take_all([one, around]) for _ in range(3)]
    taken += [await store.take_all([other, around]) for _ in range(2)]

    assert taken == [None, None, 0, None, 1]  # refused by the narrow one, later by the wide one
    assert await store.take_all([other]) is None  # what the wide one refused cost the narrow one nothing
    assert await store.take_all([other]) == 0
    clock.move(hours=1, seconds=1)
    assert await store.take_all([one, other, around]) is None
    assert await store.take(narrow, "one")  # a window is one, however it is counted
    assert await store.take_all([around, one]) == 1
    assert not await store.take(narrow, "one")


async def test_a_place_given_back_is_there_for_another(store: LimitStore, clock: MovableClock) -> None:
    three = Limit(3, timedelta(minutes=15))
    windows = [(three, "here"), (FIVE, "there")]
    for _ in range(3):
        assert await store.take_all(windows) is None
    assert await store.take_all(windows) == 0
    await store.give_back(windows)
    assert await store.take_all(windows) is None
    assert await store.take_all(windows) == 0
    await store.give_back([(three, "never taken")])
    assert await store.full_until(three, "never taken") is None


async def test_of_fifty_at_once_over_two_levels_none_counts_by_half(store: LimitStore) -> None:
    narrow, wide = Limit(5, timedelta(hours=1)), Limit(12, timedelta(hours=1))
    windows = [[(narrow, f"n{number % 10}"), (wide, "around")] for number in range(50)]
    taken = await asyncio.gather(*(store.take_all(asked) for asked in windows))
    left = [await store.take(narrow, f"n{number}") for number in range(10) for _ in range(5)]

    assert taken.count(None) == 12
    assert left.count(True) == 50 - 12


async def test_a_store_that_answers_says_so(store: LimitStore) -> None:
    assert await store.check()


async def test_memory_lets_go_of_windows_that_are_over(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "SWEEP_EVERY_S", 0.0)
    store = MemoryLimitStore()
    for number in range(100):
        await store.take(FIVE, f"k{number}")
    clock.move(minutes=16)
    await store.take(FIVE, "k")

    storage = store._limiter.storage
    assert len(storage.events) == 1  # type: ignore[attr-defined]
    assert len(storage.locks) <= 1  # type: ignore[attr-defined]
    assert storage.timer is None  # type: ignore[attr-defined]  # the package's own look through all keys never ran


async def test_two_processes_count_together_over_redis_and_a_restart_of_one_forgets_nothing(
    redis: RedisServer, clock: MovableClock
) -> None:
    one, other = RedisLimitStore(redis.address), RedisLimitStore(redis.address)
    taken = [await store.take(FIVE, "k") for store in (one, other, one, other)]
    await one.close()
    again = RedisLimitStore(redis.address)
    taken += [await again.take(FIVE, "k"), await other.take(FIVE, "k")]
    await again.close()
    await other.close()

    assert taken == [True] * 5 + [False]


async def test_without_redis_each_process_counts_for_itself_until_it_is_back(
    redis: RedisServer, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisLimitStore(redis.address)
    assert await store.take(FIVE, "k")
    redis.stop()
    assert [await store.take(FIVE, "k") for _ in range(6)] == [True] * 5 + [False]
    assert await store.full_until(FIVE, "k") is not None
    assert await store.take_all([(FIVE, "another"), (FIVE, "k")]) == 1
    await store.forget(FIVE, "k")
    assert await store.take_all([(FIVE, "k")]) is None
    with pytest.raises(LimitStoreDown):
        await store.check()

    alarms = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(alarms) == 1  # damped: while it is left alone, nothing more is said
    assert alarms[0].startswith("ALARM the store of limits does not answer")
    assert PASSWORD not in caplog.text
    redis.start()
    monkeypatch.setattr(store, "_again_at", 0.0)
    assert await store.check() == "Redis answers"
    assert [await store.take(FIVE, "k") for _ in range(6)] == [True] * 5 + [False]  # a fresh Redis knows nothing
    await store.close()


async def test_a_wrong_password_is_not_repeated_in_the_log(
    redis: RedisServer, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisLimitStore(redis.address.replace(PASSWORD, "another-password"))
    assert await store.take(FIVE, "k")
    await store.close()

    assert "AuthenticationError" in caplog.text
    assert "another-password" not in caplog.text
