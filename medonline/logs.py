"""One line per event to standard error. Control characters are escaped, so that a logged value cannot forge a line.

A place in the code that logs more than 60 lines a minute is damped: what it says beyond is counted, and the count is
logged when the minute is over. Whoever can make the portal log cannot make the log grow (about 1 MB a minute in all).
"""

from __future__ import annotations

import logging
import math
import re
import sys
import time
from dataclasses import dataclass
from typing import TextIO

LINES_PER_MINUTE = 60  # of one place in the code
_WINDOW = 60.0  # seconds
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# These write whole payloads, headers and addresses with parameters: the portal says itself what happened.
_TALKATIVE = (
    "socketio",
    "engineio",
    "reflex",
    "reflex_base",
    "httpx",
    "httpcore",
    "aiosqlite",
    "alembic",
    "asyncio",
    "_granian",
)


class OneLine(logging.Formatter):
    """Escapes control characters; a traceback stays below its line, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the traceback's lines indented below it."""
        first, *rest = super().format(record).split("\n")
        lines = [first, *(f"    {line}" for line in rest)]
        return "\n".join(_CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", line) for line in lines)


class WithoutPayloads(logging.Filter):
    """Drops the texts of libraries that quote what clients sent; keeps that something was said, and by whom."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message by its origin."""
        if record.name.split(".")[0] in _TALKATIVE:
            kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "message"
            record.msg, record.args = f"{kind} at {record.module}:{record.lineno} (text withheld)", ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True


@dataclass(slots=True)
class _Place:
    """How much one place in the code has logged in its present minute."""

    since: float
    lines: int = 0
    dropped: int = 0


class DampedHandler(logging.StreamHandler[TextIO]):
    """Writes at most LINES_PER_MINUTE of each place, and then how many were left out."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._places: dict[tuple[str, int], _Place] = {}  # as many as the code has places that log

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
        """Say what was left out last."""
        self._report(math.inf)
        super().close()

    def _report(self, began_before: float) -> None:
        for (name, line), place in list(self._places.items()):
            if place.since <= began_before:
                del self._places[name, line]
                if place.dropped:
                    text = f"{place.dropped} more lines like those of line {line} were left out within a minute"
                    super().emit(logging.LogRecord(name, logging.WARNING, "", line, text, None, None))


def set_up(level: str) -> None:
    """Send everything to standard error at `level`; talkative libraries from warning on and without their texts."""
    handler = DampedHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(WithoutPayloads())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _TALKATIVE]
    for name in {*known, *_TALKATIVE}:  # some give their children handlers of their own
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)
