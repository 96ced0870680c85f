"""Alarms: the first line at once, then one in ten minutes for each kind, which says how many were kept back."""

from __future__ import annotations

import asyncio
import logging

import pytest

from medonline.services.limits.alarms import KINDS_KEPT, QUIET, Alarm, Alarms
from tests.services.world import MovableClock

MONEY, MISSES = Alarm.MONEY_RUNS_OUT, Alarm.BREAKER_OPEN


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def heard(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator is paged by since the last look."""
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    caplog.clear()
    return lines


def test_the_first_line_is_written_at_once_and_begins_with_its_word(
    clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    Alarms(clock).sound(MONEY, "the money is spent")

    assert heard(caplog) == ["ALARM money-runs-out: the money is spent"]


def test_within_ten_minutes_a_kind_is_counted_and_then_said_with_its_number(
    clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    alarms = Alarms(clock)
    for _ in range(4):
        alarms.sound(MONEY, "the money is spent")
        clock.move(seconds=1)
    clock.now += QUIET
    clock.move(seconds=-4, microseconds=-1)
    alarms.sound(MONEY, "the money is spent")
    assert heard(caplog) == ["ALARM money-runs-out: the money is spent"]
    clock.move(microseconds=1)
    alarms.sound(MONEY, "the money is spent")

    assert heard(caplog) == ["ALARM money-runs-out: the money is spent (4 more since the last line)"]


def test_a_line_that_kept_nothing_back_names_no_number_again(
    clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    alarms = Alarms(clock)
    for _ in range(2):
        alarms.sound(MONEY, "the money is spent")
    clock.now += QUIET
    alarms.sound(MONEY, "the money is spent")
    clock.now += QUIET
    alarms.sound(MONEY, "the money is spent")

    assert heard(caplog)[-1] == "ALARM money-runs-out: the money is spent"


def test_each_kind_is_damped_by_itself(clock: MovableClock, caplog: pytest.LogCaptureFixture) -> None:
    alarms = Alarms(clock)
    for alarm in (MONEY, MISSES, MONEY, MISSES):
        alarms.sound(alarm, "again")

    assert heard(caplog) == ["ALARM money-runs-out: again", "ALARM breaker-open: again"]


def test_of_many_kinds_those_that_are_over_are_forgotten_and_the_others_stay_damped(
    clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A kind may name a block of numbers: asking for all of them shall not fill the memory."""
    alarms = Alarms(clock)
    for _ in range(2):
        alarms.sound(MONEY, "old", of="old")
    clock.now += QUIET / 2
    for _ in range(2):
        alarms.sound(MONEY, "young", of="young")
    clock.now += QUIET / 2
    for number in range(KINDS_KEPT):
        alarms.sound(Alarm.NUMBER_BLOCK, "full", of=str(number))
    heard(caplog)
    for kind in ("old", "young"):
        alarms.sound(MONEY, kind, of=kind)
    clock.now += QUIET / 2
    alarms.sound(MONEY, "young", of="young")

    assert heard(caplog) == ["ALARM money-runs-out: old", "ALARM money-runs-out: young (2 more since the last line)"]


async def test_of_several_processes_one_writes_the_line(clock: MovableClock, caplog: pytest.LogCaptureFixture) -> None:
    written: set[str] = set()

    async def is_first(kind: str) -> bool:
        first = kind not in written
        written.add(kind)
        return first

    here, there = Alarms(clock), Alarms(clock)
    for alarms in (here, there):
        alarms.share(is_first)
        await asyncio.to_thread(alarms.sound, MONEY, "the money is spent")
        alarms.sound(MISSES, "many misses")
        await alarms.settle()

    assert sorted(heard(caplog)) == ["ALARM breaker-open: many misses", "ALARM money-runs-out: the money is spent"]


async def test_who_cannot_ask_the_others_writes_the_line(clock: MovableClock, caplog: pytest.LogCaptureFixture) -> None:
    async def is_first(_kind: str) -> bool:
        raise ConnectionError

    alarms = Alarms(clock)
    alarms.share(is_first)
    alarms.sound(MONEY, "the money is spent")
    await alarms.settle()
    assert heard(caplog) == ["ALARM money-runs-out: the money is spent"]
    alarms.sound(MISSES, "after the end of the loop's work")

    assert heard(caplog) == ["ALARM breaker-open: after the end of the loop's work"]
