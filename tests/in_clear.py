"""Whether a code stands in a text that holds many other numbers: log lines, frames, a whole database."""

from __future__ import annotations

import re

# What a log line begins with: 2026-11-29T21:53:08.352908Z.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?")
_PLACE = re.compile(r"(?<=\.py:)\d+")


def holds_code(text: str, code: str) -> bool:
    """Whether the code stands there as a number of its own.

    A moment, a line of a file or a longer number or identifier has any four digits now and then. These are no leaks.
    """
    told = _PLACE.sub("", _TIME.sub("", text))
    return re.search(rf"(?<![0-9a-zA-Z.]){re.escape(code)}(?![0-9a-zA-Z])", told) is not None
