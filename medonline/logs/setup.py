"""Writes one event per line to standard error, with the request or socket it belongs to. What patients send stays out.

There are two formats: `text` for people, `json` for machines (MEDONLINE_LOG_FORMAT). Both escape control characters, so that a logged value
can neither forge a line nor colour a terminal. Phones and tokens are cut wherever they occur in a line.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.types import EventDict, Processor

from medonline.logs.damping import DampedHandler
from medonline.traces.spans import current_id

# These loggers write whole payloads, headers and addresses with parameters. The portal itself logs what happened.
_TALKATIVE = (
    "socketio",
    "engineio",
    "reflex",
    "reflex_base",
    "httpx",
    "httpcore",
    "alembic",
    "asyncio",
    "opentelemetry",
    "requests",
    "urllib3",
    "uvicorn",
    "websockets",
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PHONE = re.compile(r"(?<![\w.])(?:\+7|[78])[ (-]*9\d{2}[ )-]*\d{3}[ -]?\d{2}[ -]?(\d{2})(?!\w)")
# Tokens have 43 characters and their hashes 64. Ids of rows have 32.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{40,}(?![A-Za-z0-9_-])")
_FIRST = ("time", "level", "logger", "event", "request", "socket", "trace")


def set_up(level: str, form: str = "text") -> None:
    """Send everything to standard error at `level`. Talkative libraries are logged from warning on, without their texts."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _place_of_exception,
        _cut,
    ]
    last: Processor = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _as_text
    handler = DampedHandler(sys.stderr)
    handler.addFilter(WithoutPayloads())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _ordered, last],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _TALKATIVE]
    for name in {*known, *_TALKATIVE}:  # some give their child loggers handlers of their own
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)


class WithoutPayloads(logging.Filter):
    """Drops the texts of libraries that quote what clients sent, but keeps the fact that a library logged something."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message with its origin."""
        if record.name.split(".")[0] in _TALKATIVE:
            kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "message"
            record.msg, record.args = f"{kind} at {record.module}:{record.lineno} (text withheld)", ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True


def cut(text: str) -> str:
    """The text with control characters escaped, tokens cut, and only two digits left of each phone."""
    text = _TOKEN.sub("[token]", _PHONE.sub(r"[phone ..\1]", text))
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def _cut(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: cut(value) if isinstance(value, str) else value for name, value in event.items()}


def _with_trace(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if trace := current_id():
        event["trace"] = trace
    return event


def _place_of_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replaces a traceback, which would show values, with the types of the error and its causes and the lines that raised them."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = " < ".join(type(one).__name__ for one in _with_causes(error))
        event["at"] = _places(error.__traceback__)
    return event


def _with_causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return chain


def _places(tb: TracebackType | None) -> str:
    frames = traceback.extract_tb(tb)[-8:]
    return " > ".join(f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}" for frame in frames)


def _ordered(_logger: Any, _method: str, event: EventDict) -> EventDict:
    first = {name: event[name] for name in _FIRST if name in event}
    return first | {name: value for name, value in event.items() if name not in first}


def _as_text(_logger: Any, _method: str, event: EventDict) -> str:
    named = {name: value for name, value in event.items() if name not in ("time", "level", "logger", "event")}
    end = "".join(f" {name}={value}" for name, value in named.items())
    return f"{event['time']} {event['level'].upper()} {event['logger']} {event['event']}{end}"
