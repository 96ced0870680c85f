"""Replaces texts that no database accepts.

A browser may send any text anywhere: as a card number, a ticket, a name. PostgreSQL refuses a statement that contains NUL, and half a
character (a lone surrogate) has no encoding. U+FFFD replaces them, on both databases. So a made-up key finds nothing and raises no error,
and the rest of a stored text stays readable.
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
    """Make sure that no statement of this engine contains what its database would refuse."""
    event.listen(engine, "before_cursor_execute", _with_usable_texts, retval=True)


def _with_usable_texts(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    return statement, _usable(parameters)


def _usable(value: Any) -> Any:
    """A value, or the parameters of one statement or of several, with the unusable characters replaced."""
    if isinstance(value, str):
        # Python knows whether a text is ASCII. Only other texts need the search, which reads them whole.
        bad = "\x00" in value or not (value.isascii() or _UNUSABLE.search(value) is None)
        return _UNUSABLE.sub(_IN_ITS_PLACE, value) if bad else value
    if isinstance(value, Mapping):
        return {name: _usable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_usable(one) for one in value)
    return value
