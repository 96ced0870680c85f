"""Journeys to the identity provider: what is refused is said before, by the same rule, and saying it counts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.domain.errors import TooManyJourneys
from tests.services.limits.asking import IP, OTHER_IP
from tests.services.world import ANNA, BORIS, MovableClock, at, opened


async def test_looking_counts_nothing_and_says_what_admitting_raises(folder: Path, clock: MovableClock) -> None:
    limits_of = {"journeys_per_visitor": "2 per 10 min", "journeys_per_network": "3 per 1 min"}
    async with opened(folder, clock, **limits_of) as portal:
        limits = portal.identity.limits
        for _ in range(10):
            assert await limits.refusal(at(ANNA, IP), clock()) is None
        for _ in range(2):
            await limits.admit(at(ANNA, IP), clock())
        with pytest.raises(TooManyJourneys) as refused:
            await limits.admit(at(ANNA, IP), clock())
        assert repr(await limits.refusal(at(ANNA, IP), clock())) == repr(refused.value)
        await limits.admit(at(BORIS, IP), clock())
        assert await limits.refusal(at(BORIS, IP), clock()) is not None  # of the network
        assert await limits.refusal(at(BORIS, OTHER_IP), clock()) is None
