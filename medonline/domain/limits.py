"""How often something may happen: so many times within a moving window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` times within any span of length `per`."""

    count: int
    per: timedelta


def open_from(times: Sequence[datetime], limits: Sequence[Limit]) -> datetime | None:
    """The moment (UTC) from which one more is within every limit; None when nothing that happened is in the way.

    `times` are the moments at which it happened, newest first; as many as the highest `count` are enough. The moment
    itself is open again: what happened at t counts until t + `per`.
    """
    reopenings = [times[limit.count - 1] + limit.per for limit in limits if len(times) >= limit.count]
    return max(reopenings, default=None)
