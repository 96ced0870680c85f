"""From which network somebody asks: the unit in which requests are counted, and what of an address is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from medonline.domain.network import address_of

Network: TypeAlias = IPv4Network | IPv6Network
V6_PREFIX = 64  # what one household or phone gets (RFC 6177); single addresses are free to take


@dataclass(frozen=True, slots=True)
class Asker:
    """`network`: an IPv4 address or an IPv6 /64, as text. `raised`: a listed network shared by many patients."""

    network: str
    raised: bool


def asker_of(client_ip: str, raised: Sequence[Network]) -> Asker | None:
    """Who is behind an address; None when it is no address (a Unix socket has none)."""
    try:
        address = address_of(client_ip.partition("%")[0])
    except ValueError:
        return None
    listed = any(address in network for network in raised)
    if address.version == 4:
        return Asker(str(address), listed)
    return Asker(str(ip_network(f"{address}/{V6_PREFIX}", strict=False)), listed)


def cut(address: str) -> str:
    """`203.0.113.x` for an IPv4 address (/24), `2001:db8:1::` for IPv6 (/48); empty for anything else."""
    try:
        ip = address_of(address)
    except ValueError:
        return ""
    if isinstance(ip, IPv4Address):
        return f"{str(ip).rpartition('.')[0]}.x"
    return str(ip_network(f"{ip}/48", strict=False).network_address)
