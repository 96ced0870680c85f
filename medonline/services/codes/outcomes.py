"""The outcome of a way's last codes, limited so that no single address decides how the way is judged (decision 31)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from medonline.services.limits.networks import asker_of
from medonline.storage.queries.channel_switches import Outcome

SAMPLE = 50
LOOKED_AT = 300  # the sample is taken from this many codes
OF_ONE_ADDRESS = SAMPLE // 5


def sample(outcomes: Iterable[Outcome], size: int, of_one_address: int | None = None) -> list[bool]:
    """Whether each of the newest codes was entered. One address adds at most a fifth of the sample, unless `of_one_address` says otherwise.

    In IPv6 a /48 counts as one address, because one customer may own all its 65 536 networks. Honest ones among them are judged by fewer
    codes.
    """
    most = max(1, size // 5) if of_one_address is None else of_one_address
    of_address: Counter[str] = Counter()
    found = []
    for one in outcomes:
        asker = asker_of(one.client_ip, ())
        address = one.client_ip if asker is None else asker.levels[-1].network
        of_address[address] += 1
        if of_address[address] <= most:
            found.append(one.entered)
    return found[:size]
