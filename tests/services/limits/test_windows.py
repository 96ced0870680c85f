"""Several gates at once: all count or none does, and the one that refuses longest is named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from medonline.domain.errors import SignInsOverloaded, TooManyJourneys
from medonline.domain.limits import Limit
from medonline.providers.limits.stores import MemoryLimitStore
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.limits.networks import Level
from medonline.services.limits.windows import Gate, Windows, scaled
from tests.services.world import MovableClock, limits_by

NARROW = Gate(TooManyJourneys, "narrow", (Limit(1, timedelta(minutes=1)), Limit(3, timedelta(hours=1))))
WIDE = Gate(SignInsOverloaded, "wide", (Limit(2, timedelta(minutes=10)),))


@pytest.fixture
def windows() -> Windows:
    return Windows(MemoryLimitStore(), Sealer(b"k" * 32, "limits"), ())


async def test_the_gate_that_refuses_longest_is_named(windows: Windows, clock: MovableClock) -> None:
    with limits_by(clock):
        await windows.admit([NARROW, WIDE], "first", clock())
        refusal = await windows.refusal([NARROW, WIDE], clock())
        assert (type(refusal), refusal and refusal.resets_in) == (TooManyJourneys, timedelta(minutes=1))
        await windows.admit([WIDE], "second", clock())
        with pytest.raises(SignInsOverloaded) as refused:
            await windows.admit([NARROW, WIDE], "third", clock())

    assert refused.value.resets_in == timedelta(minutes=10)


async def test_a_refusal_by_one_costs_nothing_at_the_others(windows: Windows, clock: MovableClock) -> None:
    with limits_by(clock):
        await windows.admit([NARROW], "first", clock())
        for number in range(5):
            assert await windows.taken([NARROW, WIDE], f"{number}", clock()) is not None
        assert await windows.store.counts(WIDE.windows) == [0]
        assert await windows.refusal([WIDE], clock()) is None


def test_a_wider_network_may_so_many_times_as_much() -> None:
    assert scaled(WIDE.limits, Level("2001:db8::/48", 16)) == (Limit(32, timedelta(minutes=10)),)


def test_a_key_says_nothing_of_what_it_is_made_of(windows: Windows) -> None:
    key = windows.gate(TooManyJourneys, "journeys", Level("203.0.113.7", 1), WIDE.limits).key

    assert "203.0.113.7" not in key
    assert key != windows.gate(TooManyJourneys, "sign-ins", Level("203.0.113.7", 1), WIDE.limits).key
