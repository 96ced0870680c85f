"""A bounded part of what `benchmarks/shared_address.py` plays: no one honest is refused, and no attacker gets more."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.shared_address import recoveries, sign_ins, street_of

PATIENTS = 60


async def test_a_crowd_behind_one_address_is_not_refused_and_an_attacker_among_it_gets_no_more_than_alone(
    tmp_path: Path,
) -> None:
    """Three guesses at a phone every ten minutes, beside patients who recover."""
    came = (await street_of(tmp_path, PATIENTS, recoveries(PATIENTS, (3, 600.0)))).came

    assert not [what for what in came if what.startswith("refused")]
    assert came["recovered"] + came["never typed a code"] == PATIENTS
    assert came["guesses"] == 18
    assert came["worth"] == 6


@pytest.mark.parametrize("guesses", [2, 3])
async def test_a_sprayer_gets_no_more_in_an_hour_than_before_whether_it_guesses_twice_or_three_times(
    tmp_path: Path, guesses: int
) -> None:
    came = (await street_of(tmp_path, 1, recoveries(1, (guesses, 90.0)))).came

    assert came["worth"] <= 6  # of a network in an hour: three phones, two guesses each
    assert came["guesses"] <= 45


async def test_a_pumper_is_stopped(tmp_path: Path) -> None:
    came = (await street_of(tmp_path, 1, recoveries(1, (0, 40.0)))).came

    assert came["attacker: codes"] in (59, 60, 61)  # the one patient may have taken a place, and given it back


async def test_a_crowd_signs_in_behind_one_address(tmp_path: Path) -> None:
    came = (await street_of(tmp_path, 300, sign_ins(300, sprayer=False))).came

    assert came["signed in"] == 300
    assert came["mistyped"] > 20
