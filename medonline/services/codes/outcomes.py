"""What became of the last codes of a way, so that no one address decides what is thought of it (decision 31)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from medonline.storage.queries.channel_switches import Outcome

SAMPLE = 50
LOOKED_AT = 300  # codes among which the sample is found
OF_ONE_ADDRESS = SAMPLE // 5


def sample(outcomes: Iterable[Outcome], size: int) -> list[bool]:
    """Whether each of the newest codes was entered; of one address no more than a fifth of a whole sample."""
    of_address: Counter[str] = Counter()
    found = []
    for one in outcomes:
        of_address[one.client_ip] += 1
        if of_address[one.client_ip] <= OF_ONE_ADDRESS:
            found.append(one.entered)
    return found[:size]
