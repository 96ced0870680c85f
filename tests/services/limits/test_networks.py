"""The unit in which requests are counted."""

from __future__ import annotations

import pytest

from medonline.services.limits.networks import asker_of


def network(address: str) -> str | None:
    asker = asker_of(address, ())
    return asker.network if asker is not None else None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("", "", True),
    ],
)
def test_limits_count_by_address_or_by_the_network_of_a_household(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same
