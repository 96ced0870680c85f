"""One line per event to standard error. Control characters are escaped, so that a logged value cannot forge a line."""

from __future__ import annotations

import logging
import re
import sys

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# These write whole payloads, headers and addresses with parameters: the portal says itself what happened.
_TALKATIVE = ("socketio", "engineio", "reflex", "reflex_base", "httpx", "httpcore", "aiosqlite", "alembic", "asyncio")


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


def set_up(level: str) -> None:
    """Send everything to standard error at `level`; talkative libraries from warning on and without their texts."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(WithoutPayloads())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _TALKATIVE]
    for name in {*known, *_TALKATIVE}:  # some give their children handlers of their own
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)
