"""A sample of what became of codes: the newest ones, of one address a fifth at most."""

from __future__ import annotations

from medonline.services.codes.outcomes import OF_ONE_ADDRESS, SAMPLE, sample
from medonline.storage.queries.channel_switches import Outcome


def test_one_address_fills_a_fifth_of_the_sample() -> None:
    flood = [Outcome("192.0.2.1", entered=False)] * (4 * SAMPLE)
    honest = [Outcome(f"198.51.100.{number}", entered=True) for number in range(SAMPLE)]

    seen = sample([*flood, *honest], SAMPLE)

    assert (len(seen), seen.count(False)) == (SAMPLE, OF_ONE_ADDRESS)


def test_the_newest_come_first() -> None:
    ones = [Outcome(str(number), entered=number < 3) for number in range(SAMPLE)]

    assert sample(ones, 3) == [True] * 3
