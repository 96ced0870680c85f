"""One contract for both stores of moving windows; Redis is a server started for these tests."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta

import pytest

from medonline.domain.limits import Limit
from medonline.providers.limits import stores
from medonline.providers.limits.stores import MemoryLimitStore, RedisLimitStore
from medonline.services.clock import utc_now
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.windows import LimitStore, LimitStoreDown, Window
from tests.providers.limits.redis_server import PASSWORD, RedisServer
from tests.services.world import MovableClock, limits_by

FIVE = Limit(5, timedelta(minutes=15))


numbers = itertools.count()


async def take_all(store: LimitStore, windows: Sequence[Window]) -> int | None:
    """Under a name that nothing else has."""
    return await store.take_all(windows, f"m{next(numbers)}")


async def take(store: LimitStore, limit: Limit, key: str) -> bool:
    return await take_all(store, [(limit, key)]) is None


@pytest.fixture
def clock() -> Iterator[MovableClock]:
    clock = MovableClock()
    with limits_by(clock):
        yield clock


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, clock: MovableClock) -> AsyncIterator[LimitStore]:
    address = request.getfixturevalue("redis").address if request.param == "redis" else ""
    store: LimitStore = RedisLimitStore(address, Alarms(utc_now)) if address else MemoryLimitStore()
    yield store
    await store.close()


async def test_the_last_is_taken_the_next_refused_and_taken_again_when_the_window_moved(
    store: LimitStore, clock: MovableClock
) -> None:
    first = clock.now
    for _ in range(5):
        assert await store.full_until(FIVE, "k") is None
        assert await take(store, FIVE, "k")
        clock.move(minutes=1)

    assert not await take(store, FIVE, "k")
    until = await store.full_until(FIVE, "k")
    assert until is not None
    assert abs(until - (first + FIVE.per)) < timedelta(milliseconds=1)
    clock.now = until - timedelta(seconds=1)
    assert not await take(store, FIVE, "k")
    clock.now = until + timedelta(seconds=1)
    assert await take(store, FIVE, "k")
    assert not await take(store, FIVE, "k")


async def test_a_refused_one_is_not_counted(store: LimitStore, clock: MovableClock) -> None:
    for _ in range(20):
        await take(store, FIVE, "k")
        clock.move(minutes=1)

    assert await take(store, FIVE, "k")


async def test_keys_and_limits_are_counted_apart(store: LimitStore) -> None:
    for _ in range(5):
        await take(store, FIVE, "k")

    assert await take(store, FIVE, "another")
    assert await take(store, Limit(5, timedelta(hours=1)), "k")


async def test_a_forgotten_window_begins_anew(store: LimitStore) -> None:
    for _ in range(5):
        await take(store, FIVE, "k")
    await store.forget([(FIVE, "k")])

    assert await store.full_until(FIVE, "k") is None
    assert await take(store, FIVE, "k")


async def test_fifty_at_once_are_five(store: LimitStore) -> None:
    assert sum(await asyncio.gather(*(take(store, FIVE, "k") for _ in range(50)))) == 5


async def test_of_several_windows_all_count_or_none(store: LimitStore, clock: MovableClock) -> None:
    narrow, wide = Limit(2, timedelta(hours=1)), Limit(3, timedelta(hours=1))
    one, other, around = (narrow, "one"), (narrow, "other"), (wide, "around")
    taken = [await take_all(store, [one, around]) for _ in range(3)]
    taken += [await take_all(store, [other, around]) for _ in range(2)]

    assert taken == [None, None, 0, None, 1]  # refused by the narrow one, later by the wide one
    assert await take_all(store, [other]) is None  # what the wide one refused cost the narrow one nothing
    assert await take_all(store, [other]) == 0
    clock.move(hours=1, seconds=1)
    assert await take_all(store, [one, other, around]) is None
    assert await take(store, narrow, "one")  # a window is one, however it is counted
    assert await take_all(store, [around, one]) == 1
    assert not await take(store, narrow, "one")


async def test_a_place_given_back_is_there_for_another(store: LimitStore, clock: MovableClock) -> None:
    three = Limit(3, timedelta(minutes=15))
    windows = [(three, "here"), (FIVE, "there")]
    for number in range(3):
        assert await store.take_all(windows, f"code {number}") is None
    assert await take_all(store, windows) == 0
    await store.give_back(windows, ["code 1"])
    assert await store.take_all(windows, "another") is None
    assert await take_all(store, windows) == 0
    await store.give_back([(three, "never taken")], ["code 0"])
    await store.give_back(windows, ["code 1", "a name that nothing had"])
    await store.give_back(windows, [])
    assert await store.full_until(three, "never taken") is None
    assert await store.counts([*windows, (three, "never taken")]) == [3, 3, 0]


async def test_it_is_the_place_of_its_own_name_that_goes(store: LimitStore, clock: MovableClock) -> None:
    first = clock.now
    for number in range(5):
        await store.take_all([(FIVE, "k")], f"code {number}")
        clock.move(minutes=1)
    await store.give_back([(FIVE, "k")], ["code 1"])

    assert await store.members(FIVE, "k") == ["code 0", "code 2", "code 3", "code 4"]
    assert await take(store, FIVE, "k")
    until = await store.full_until(FIVE, "k")
    assert until is not None
    assert abs(until - (first + FIVE.per)) < timedelta(milliseconds=1)
    clock.now = until + timedelta(seconds=1)
    assert await store.counts([(FIVE, "k")]) == [4]


async def test_a_place_keeps_counting_under_another_name(store: LimitStore) -> None:
    windows = [(FIVE, "k"), (FIVE, "l")]
    await store.take_all(windows, "a guess")
    await store.rename(windows, "a guess", "code 1, the second miss")
    await store.give_back(windows, ["a guess"])

    assert await store.members(FIVE, "k") == ["code 1, the second miss"]
    assert await store.counts(windows) == [1, 1]
    await store.give_back(windows, ["code 1, the second miss"])
    assert await store.counts(windows) == [0, 0]


async def test_windows_of_one_key_and_span_are_one_however_many_they_allow(store: LimitStore) -> None:
    """So a limit that depends on something else, or was changed by the operator, finds what was counted."""
    wide = Limit(7, FIVE.per)
    assert [await take(store, FIVE, "k") for _ in range(6)] == [True] * 5 + [False]
    assert [await take(store, wide, "k") for _ in range(3)] == [True] * 2 + [False]
    assert not await take(store, FIVE, "k")


async def test_no_windows_refuse_nothing(store: LimitStore) -> None:
    assert await take_all(store, []) is None
    assert await store.counts([]) == []
    await store.rename([], "a", "b")
    await store.forget([])


async def test_of_fifty_at_once_over_two_levels_none_counts_by_half(store: LimitStore) -> None:
    narrow, wide = Limit(5, timedelta(hours=1)), Limit(12, timedelta(hours=1))
    windows = [[(narrow, f"n{number % 10}"), (wide, "around")] for number in range(50)]
    taken = await asyncio.gather(*(take_all(store, asked) for asked in windows))
    left = [await take(store, narrow, f"n{number}") for number in range(10) for _ in range(5)]

    assert taken.count(None) == 12
    assert left.count(True) == 50 - 12


async def test_a_store_that_answers_says_so(store: LimitStore) -> None:
    assert await store.check()


async def test_memory_lets_go_of_windows_that_are_over(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "SWEEP_EVERY_S", 0.0)
    store = MemoryLimitStore()
    for number in range(100):
        await take(store, FIVE, f"k{number}")
    clock.move(minutes=16)
    await take(store, FIVE, "k")

    assert len(store.names) == 1
    assert len(store._spans) == 1


async def test_two_processes_count_together_over_redis_and_a_restart_of_one_forgets_nothing(
    redis: RedisServer, clock: MovableClock
) -> None:
    one, other = RedisLimitStore(redis.address, Alarms(utc_now)), RedisLimitStore(redis.address, Alarms(utc_now))
    taken = [await take(store, FIVE, "k") for store in (one, other, one, other)]
    await one.close()
    again = RedisLimitStore(redis.address, Alarms(utc_now))
    taken += [await take(again, FIVE, "k"), await take(other, FIVE, "k")]
    await again.close()
    await other.close()

    assert taken == [True] * 5 + [False]


async def test_without_redis_each_process_counts_for_itself_until_it_is_back(
    redis: RedisServer, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisLimitStore(redis.address, Alarms(utc_now))
    assert await take(store, FIVE, "k")
    redis.stop()
    assert [await take(store, FIVE, "k") for _ in range(6)] == [True] * 5 + [False]
    assert await store.full_until(FIVE, "k") is not None
    assert await take_all(store, [(FIVE, "another"), (FIVE, "k")]) == 1
    await store.forget([(FIVE, "k")])
    assert await take_all(store, [(FIVE, "k")]) is None
    with pytest.raises(LimitStoreDown):
        await store.check()

    alarms = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(alarms) == 1  # damped: while it is left alone, nothing more is said
    assert alarms[0].startswith("ALARM limit-store-down: the store of limits does not answer")
    assert PASSWORD not in caplog.text
    redis.start()
    monkeypatch.setattr(store, "_again_at", 0.0)
    assert await store.check() == "Redis answers"
    assert [await take(store, FIVE, "k") for _ in range(6)] == [True] * 5 + [False]  # a fresh Redis knows nothing
    await store.close()


async def test_a_wrong_password_is_not_repeated_in_the_log(
    redis: RedisServer, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisLimitStore(redis.address.replace(PASSWORD, "another-password"), Alarms(utc_now))
    assert await take(store, FIVE, "k")
    await store.close()

    assert "AuthenticationError" in caplog.text
    assert "another-password" not in caplog.text


async def test_however_often_redis_does_not_answer_it_is_one_line_within_ten_minutes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = RedisLimitStore("redis://127.0.0.1:1/0", Alarms(utc_now))
    for _ in range(5):
        await store.counts([(Limit(1, timedelta(minutes=1)), "key")])
        assert store._again_at > 0
        store._again_at = 0.0  # the time to leave it alone is over
    await store.close()

    assert [line for line in caplog.messages if line.startswith("ALARM ")] == [
        "ALARM limit-store-down: the store of limits does not answer (ConnectionError): counting in this process"
    ]
