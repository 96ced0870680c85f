"""Finds a code in a text that contains many other numbers: log lines, frames, a whole database."""

from __future__ import annotations

import re

# The start of a log line: 2026-11-29T21:53:08.352908Z.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?")
_PLACE = re.compile(r"(?<=\.py:)\d+")


def holds_code(text: str, code: str) -> bool:
    """Whether the code occurs as a separate number.

    A time, a line number, or a longer number or identifier may contain any four digits by chance. Those are no leaks.
    """
    told = _PLACE.sub("", _TIME.sub("", text))
    return re.search(rf"(?<![0-9a-zA-Z.]){re.escape(code)}(?![0-9a-zA-Z])", told) is not None
