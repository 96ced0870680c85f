"""How many codes may be open where others were confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from medonline.bootstrap import Portal
from medonline.domain.limits import Limit

HOUR = timedelta(hours=1)
SIXTY = Limit(60, HOUR)


@pytest.mark.parametrize(
    ("percent", "confirmed", "allowed"),
    [(70, 0, 60), (70, 140, 60), (70, 1800, 771), (40, 1800, 2700), (100, 10_000, 60), (99, 198, 60)],
)
def test_confirmed_codes_widen_what_may_be_open(portal: Portal, percent: int, confirmed: int, allowed: int) -> None:
    policy = replace(portal.config.request_policy, confirmed_percent=percent)

    assert policy.unconfirmed_allowed(SIXTY, confirmed) == Limit(allowed, HOUR)


def test_nothing_need_be_confirmed_where_the_operator_says_so(portal: Portal) -> None:
    policy = replace(portal.config.request_policy, confirmed_percent=0)

    assert policy.unconfirmed_allowed(SIXTY, 0).count > 10**6


def test_a_raised_network_has_numbers_of_its_own(portal: Portal) -> None:
    policy = portal.config.request_policy

    assert policy.of(raised=True).unconfirmed_codes != policy.of(raised=False).unconfirmed_codes
