"""From which network somebody asks: the unit in which requests are counted, and what of an address is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from medonline.domain.network import address_of

Network: TypeAlias = IPv4Network | IPv6Network
# How wide a network is looked at in IPv6, and how many times what a /64 may is its due. A /64 is what one phone or one
# household's network gets, and single addresses of it are free to take. A /56 is one household with several networks, or four
# neighbours. A /48 is an organisation, or 256 households of an operator: of 65 536 networks that one customer can own it leaves
# sixteen, so that an attacker with a /48 is worth sixteen IPv4 addresses (RFC 6177 on who gets what).
V6_LEVELS = ((64, 1), (56, 4), (48, 16))


@dataclass(frozen=True, slots=True)
class Level:
    """A network, as text, and how many times the limits of one network are its limits."""

    network: str
    times: int


@dataclass(frozen=True, slots=True)
class Asker:
    """`levels`: an IPv4 address, or an IPv6 /64 with the wider ones around it. `raised`: a network shared by many patients."""

    levels: tuple[Level, ...]
    raised: bool

    @property
    def network(self) -> str:
        """The narrowest: an IPv4 address or an IPv6 /64."""
        return self.levels[0].network


def asker_of(client_ip: str, raised: Sequence[Network]) -> Asker | None:
    """Who is behind an address; None when it is no address (a Unix socket has none)."""
    try:
        address = address_of(client_ip.partition("%")[0])
    except ValueError:
        return None
    listed = any(address in network for network in raised)
    if address.version == 4:
        return Asker((Level(str(address), 1),), listed)
    around = [(ip_network(f"{address}/{prefix}", strict=False), times) for prefix, times in V6_LEVELS]
    return Asker(tuple(Level(str(network), times) for network, times in around), listed)


def cut(address: str) -> str:
    """`203.0.113.x` for an IPv4 address (/24), `2001:db8:1::` for IPv6 (/48); empty for anything else."""
    try:
        ip = address_of(address)
    except ValueError:
        return ""
    if isinstance(ip, IPv4Address):
        return f"{str(ip).rpartition('.')[0]}.x"
    return str(ip_network(f"{ip}/48", strict=False).network_address)
