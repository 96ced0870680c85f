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


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_address_belongs_to_a_network(address: str, network: str) -> None:
    asker = asker_of(address, ())
    assert asker is not None
    assert asker.network == network


def test_an_ipv6_network_is_looked_at_in_three_widths() -> None:
    asker = asker_of("2001:db8:1:2345:6:7:8:9", ())
    assert asker is not None
    assert [(level.network, level.times) for level in asker.levels] == [
        ("2001:db8:1:2345::/64", 1),
        ("2001:db8:1:2300::/56", 4),
        ("2001:db8:1::/48", 16),
    ]
    four = asker_of("203.0.113.7", ())
    assert four is not None
    assert [(level.network, level.times) for level in four.levels] == [("203.0.113.7", 1)]


@pytest.mark.parametrize("address", ["", "unix:", "203.0.113", "localhost"])
def test_what_is_no_address_has_no_network(address: str) -> None:
    assert asker_of(address, ()) is None
