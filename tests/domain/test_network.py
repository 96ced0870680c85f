"""Addresses of the internet as they are read from text."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.network import address_of


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_itself_also_when_it_is_mapped_into_ipv6(address: IPv4Address) -> None:
    assert address_of(str(address)) == address
    assert address_of(f"::ffff:{address}") == address
    assert address_of(str(IPv6Address(bytes(10) + b"\xff\xff" + address.packed))) == address


@given(st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None))
def test_any_other_ipv6_address_is_itself(address: IPv6Address) -> None:
    assert address_of(str(address)) == address


def test_a_zone_does_not_hide_the_ipv4_address() -> None:
    assert address_of("::ffff:203.0.113.9%eth0") == IPv4Address("203.0.113.9")


def test_other_ways_of_carrying_ipv4_stay_ipv6() -> None:
    assert address_of("::203.0.113.9") == IPv6Address("::203.0.113.9")
    assert address_of("64:ff9b::203.0.113.9") == IPv6Address("64:ff9b::203.0.113.9")


@pytest.mark.parametrize("text", ["", "unix:", "203.0.113", "203.0.113.9:80", "[::1]", "203.0.113.9, 10.0.0.1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        address_of(text)
