"""A limit on how often something may happen within a moving window."""

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
    """The moment (UTC) from which one more event is within every limit. None when one more is allowed already.

    `times` are the moments of past events, newest first. The newest ones are enough, as many as the highest `count`. An event at t counts
    until t + `per`, and at that moment itself the limit is open again.
    """
    reopenings = [times[limit.count - 1] + limit.per for limit in limits if len(times) >= limit.count]
    return max(reopenings, default=None)
