"""A token bucket: it limits what one peer may send at once, and fills up again as time passes."""

from __future__ import annotations


class Bucket:
    """Holds `at_once` at most and gains `per_second`. Times are seconds of a clock that never goes back."""

    __slots__ = ("_at_once", "_counted_at", "_left", "_per_second")

    def __init__(self, at_once: float, per_second: float, now: float) -> None:
        self._at_once, self._per_second = at_once, per_second
        self._left, self._counted_at = at_once, now

    def take(self, amount: float, now: float) -> bool:
        """Take an amount. Returns whether so much was left. The amount is taken in any case, so the level may go below zero."""
        self._left = min(self._at_once, self._left + (now - self._counted_at) * self._per_second) - amount
        self._counted_at = now
        return self._left >= 0
