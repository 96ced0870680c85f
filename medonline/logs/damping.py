"""Damps the log, so that nobody who can make the portal log can make the log grow.

A place in the code may log 60 lines a minute. Further lines are only counted, and the count is logged when the minute is over. The code has
about a hundred places that log, and a patient reaches few of them, so the log grows by about 1 MB a minute at most.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import TextIO

LINES_PER_MINUTE = 60  # from one place in the code
_WINDOW = 60.0  # seconds


@dataclass(slots=True)
class _Place:
    """How much one place in the code has logged in its current minute."""

    since: float
    lines: int = 0
    dropped: int = 0


class DampedHandler(logging.StreamHandler[TextIO]):
    """Writes at most LINES_PER_MINUTE from each place, and then how many were left out."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._places: dict[tuple[str, int], _Place] = {}  # bounded by the number of places in the code that log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or count it."""
        now = time.monotonic()
        self._report(now - _WINDOW)
        place = self._places.setdefault((record.name, record.lineno), _Place(now))
        place.lines += 1
        if place.lines > LINES_PER_MINUTE:
            place.dropped += 1
        else:
            super().emit(record)

    def close(self) -> None:
        """Log how many lines were left out last."""
        self._report(math.inf)
        super().close()

    def _report(self, began_before: float) -> None:
        for (name, line), place in list(self._places.items()):
            if place.since <= began_before:
                del self._places[name, line]
                if place.dropped:
                    text = f"{place.dropped} more lines like those of line {line} were left out within a minute"
                    super().emit(logging.LogRecord(name, logging.WARNING, "", line, text, None, None))
