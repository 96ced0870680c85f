"""The frame fuzzer for a moment; `make fuzz` runs it for long. What each line of the report means is in tests/attacks/fuzzing.py."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.attacks.conftest import StartServer
from tests.attacks.fuzz_frames import MANNERS, Life, Outcome, life_of
from tests.attacks.fuzzing import MAX_GROWTH_KB, MAX_LOG_PER_MINUTE, MAX_SOCKETS_HELD, Report, Tally, live, run
from tests.e2e.server import Server

SEED = 1  # the same lives each time: a failure here is a failure of what was changed
WITHIN = Report(SEED, Tally(), 60.0, 0, MAX_GROWTH_KB, 0, MAX_LOG_PER_MINUTE, MAX_SOCKETS_HELD, ())


def test_frames_of_every_kind_break_no_bound(start_server: StartServer) -> None:
    report = run(start_server(), SEED, frames=1500, warm_up=1000, sockets=10)

    assert report.tally.frames >= 1500
    assert report.broken == [], report.table()
    assert {"served", "closed with 1008", "closed with 1000", "refused with 403"} <= set(report.tally.ended)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_makes_the_same_lives_again(seed: int) -> None:
    lives = [life_of(seed, number) for number in range(40)]

    assert lives == [life_of(seed, number) for number in range(40)]
    assert lives != [life_of(3, number) for number in range(40)]


def test_every_manner_occurs() -> None:
    seen = Counter(life_of(SEED, number).manner for number in range(3000))

    assert len(seen) == len(MANNERS)


@pytest.mark.parametrize(
    ("life", "fault"),
    [
        # With what was not read yet in its way the goodbye may be lost, and the socket ends without a word.
        (Life(1, "", (b"\x81\x80\0\0\0\0",), Outcome.SERVED), "closed (with 1008|without a word) instead of served"),
        (Life(1, "", (), Outcome.REFUSED), "served instead of refused"),
        (Life(1, "", (), Outcome.CLOSED, origin="null"), "refused with 403 instead of closed"),
        (Life(1, "", (b"\x81\x80\0\0\0\0",), Outcome.CLOSED), ""),
    ],
)
def test_what_comes_of_a_life_is_compared_with_what_must(server: Server, life: Life, fault: str) -> None:
    tally = Tally()
    live(server, life, tally)

    assert len(tally.faults) == (1 if fault else 0)
    assert not fault or re.fullmatch(rf"life 1 \(\): {fault}", tally.faults[0])


@pytest.mark.parametrize(
    ("worse", "says"),
    [
        ({"memory_peak": MAX_GROWTH_KB + 1}, "memory grew"),
        ({"log_bytes": MAX_LOG_PER_MINUTE + 1}, "the log grew"),
        ({"log_bytes": MAX_LOG_PER_MINUTE + 1, "seconds": 1.0}, "the log grew"),
        ({"sockets_held": MAX_SOCKETS_HELD + 1}, "holds sockets"),
        ({"faults": ("life 1",)}, "life 1"),
    ],
)
def test_a_broken_bound_is_named(worse: dict[str, Any], says: str) -> None:
    assert WITHIN.broken == []
    (broken,) = replace(WITHIN, **worse).broken

    assert says in broken
