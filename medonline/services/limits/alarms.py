"""Alarms: lines in the log that an operator is paged by. Each begins with «ALARM» and is damped."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from medonline.services.clock import Clock

log = logging.getLogger(__name__)

QUIET = timedelta(minutes=10)
KINDS_KEPT = 1000


class Alarms:
    """One line per kind within ten minutes; the next one says how many were kept back. Texts hold no personal data."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # transactions sound alarms from the database's threads
        self._sounded: dict[str, tuple[datetime, int]] = {}  # kind: when the last line was written, how many since

    def sound(self, kind: str, text: str) -> None:
        """Write the line, or count it."""
        with self._lock:
            kept_back = self._kept_back(kind)
        if kept_back is None:
            return
        repeated = f" ({kept_back} more since the last line)" if kept_back else ""
        log.error("ALARM %s%s", text, repeated)

    def _kept_back(self, kind: str) -> int | None:
        """How many were kept back since the last line, when this one is written; None when it is kept back, too."""
        now = self._clock()
        last, kept_back = self._sounded.get(kind, (None, 0))
        if last is not None and now - last < QUIET:
            self._sounded[kind] = (last, kept_back + 1)
            return None
        if len(self._sounded) >= KINDS_KEPT:
            self._sounded = {of: seen for of, seen in self._sounded.items() if now - seen[0] < QUIET}
        self._sounded[kind] = (now, 0)
        return kept_back
