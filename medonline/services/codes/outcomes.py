"""What became of the last codes of a way, so that no one address decides what is thought of it (decision 31)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from medonline.services.limits.networks import asker_of
from medonline.storage.queries.channel_switches import Outcome

SAMPLE = 50
LOOKED_AT = 300  # codes among which the sample is found
OF_ONE_ADDRESS = SAMPLE // 5


def sample(outcomes: Iterable[Outcome], size: int, of_one_address: int | None = None) -> list[bool]:
    """Whether each of the newest codes was entered; of one address no more than a fifth, unless told otherwise.

    In IPv6 a /48 is one address: its 65 536 networks may be one customer's. Honest ones among them are judged by fewer codes.
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
