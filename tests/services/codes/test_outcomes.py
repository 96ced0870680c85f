"""A sample of what became of codes: the newest ones, of one address a fifth at most."""

from __future__ import annotations

import pytest

from medonline.services.codes.outcomes import OF_ONE_ADDRESS, SAMPLE, sample
from medonline.storage.queries.channel_switches import Outcome


def test_one_address_fills_a_fifth_of_the_sample() -> None:
    flood = [Outcome("192.0.2.1", entered=False)] * (4 * SAMPLE)
    honest = [Outcome(f"198.51.100.{number}", entered=True) for number in range(SAMPLE)]

    seen = sample([*flood, *honest], SAMPLE)

    assert (len(seen), seen.count(False)) == (SAMPLE, OF_ONE_ADDRESS)


@pytest.mark.parametrize("prefix", ["2001:db8:7:0", "2001:db8:7:{:x}"], ids=["a /64", "a /48"])
def test_a_network_of_ipv6_is_one_address(prefix: str) -> None:
    flood = [Outcome(f"{prefix.format(number)}::{number:x}", entered=False) for number in range(200)]
    honest = [Outcome(f"198.51.100.{number}", entered=True) for number in range(SAMPLE)]

    assert sample([*flood, *honest], SAMPLE).count(False) == OF_ONE_ADDRESS


def test_of_a_few_codes_on_trial_one_address_has_one() -> None:
    flood = [Outcome("192.0.2.1", entered=False)] * 5
    honest = [Outcome(f"198.51.100.{number}", entered=True) for number in range(4)]

    assert sample([*flood, *honest], 5) == [False, True, True, True, True]


def test_the_newest_come_first() -> None:
    ones = [Outcome(str(number), entered=number < 3) for number in range(SAMPLE)]

    assert sample(ones, 3) == [True] * 3
