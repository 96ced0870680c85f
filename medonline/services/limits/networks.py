"""The network of a request: the unit in which requests are counted, and the part of an address that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from medonline.domain.network import address_of

Network: TypeAlias = IPv4Network | IPv6Network
# The IPv6 networks to look at, and how many times the limit of a /64 each of them may use. A /64 is what one phone or one household gets,
# and its single addresses cost nothing. A /56 is one household with several networks, or four neighbours. A /48 is an organisation, or 256
# households of an operator. One customer can own its 65 536 networks, so it counts as sixteen: an attacker with a /48 is worth sixteen IPv4
# addresses (RFC 6177 on who gets what).
V6_LEVELS = ((64, 1), (56, 4), (48, 16))


@dataclass(frozen=True, slots=True)
class Level:
    """A network as text. The limits of one network, times `times`, are its limits."""

    network: str
    times: int


@dataclass(frozen=True, slots=True)
class Asker:
    """The networks of a request. `levels`: an IPv4 address, or an IPv6 /64 with the wider ones around it.

    raised: many patients share this network.
    """

    levels: tuple[Level, ...]
    raised: bool

    @property
    def network(self) -> str:
        """The narrowest network: an IPv4 address or an IPv6 /64."""
        return self.levels[0].network


def asker_of(client_ip: str, raised: Sequence[Network]) -> Asker | None:
    """The networks around an address. None when it is no address (a Unix socket has none)."""
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
