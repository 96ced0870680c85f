"""Texts that no database takes.

A browser may send any text anywhere: a number of a card, a ticket, a name. PostgreSQL refuses a statement that holds NUL, and
half a character (a lone surrogate) has no encoding. In their place goes U+FFFD, on both databases: a made-up key names nothing
and is no error, and of what is kept the rest can be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_IN_ITS_PLACE = "\ufffd"


def send_usable_texts(engine: Engine) -> None:
    """Let no statement of this engine hold what its database would refuse."""
    event.listen(engine, "before_cursor_execute", _with_usable_texts, retval=True)


def _with_usable_texts(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    return statement, _usable(parameters)


def _usable(value: Any) -> Any:
    """A value, or the parameters of one statement or of several."""
    if isinstance(value, str):
        # Python knows of each text whether it is ASCII: the search, which reads it, is for the others.
        bad = "\x00" in value or not (value.isascii() or _UNUSABLE.search(value) is None)
        return _UNUSABLE.sub(_IN_ITS_PLACE, value) if bad else value
    if isinstance(value, Mapping):
        return {name: _usable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_usable(one) for one in value)
    return value
