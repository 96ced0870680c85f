"""Internet addresses, read from text."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


def address_of(text: str) -> Address:
    """The address that a text names. An IPv4 address mapped into IPv6 (`::ffff:203.0.113.9`) becomes the IPv4 address (RFC 4291, 2.5.5.2).

    A socket that serves both families reports IPv4 peers in this form. Limits and the journal must know one peer by one name.

    Raises:
        ValueError: the text is no address.
    """
    address = ip_address(text)
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
