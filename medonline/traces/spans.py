"""Spans: the parts of a trace. While no collector is set they cost a comparison.

A span's name and attributes are words of the code: a route of the table, a handler, a transaction, a vendor. What leaves the
process besides is cut off in `export.OnlyWords`; so a new attribute has to be added there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider, get_current_span

__all__ = ["SpanKind", "current_id", "fail", "follow", "is_followed", "span"]

ERROR = "error.type"
_NOWHERE = get_current_span(Context())  # takes everything and keeps nothing
_tracer: Tracer | None = None


def follow(provider: TracerProvider | None) -> None:
    """Where this process's spans go from now on; None: nowhere."""
    global _tracer
    _tracer = provider.get_tracer("medonline") if provider is not None else None


def is_followed() -> bool:
    """Whether spans go anywhere."""
    return _tracer is not None


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, begins: bool = False, **words: str | int | bool
) -> Iterator[Span]:
    """A part of what is under way; the context manager's value takes more attributes.

    begins: a trace begins here, whatever is under way.
    words: attributes, with `__` for the dots of their names. Of an error that leaves only its type is told.
    """
    if _tracer is None:
        yield _NOWHERE
        return
    attributes = {key.replace("__", "."): value for key, value in words.items()}
    with _tracer.start_as_current_span(
        name,
        Context() if begins else None,
        kind,
        attributes,
        record_exception=False,  # its text may quote what a patient typed
        set_status_on_exception=False,
    ) as one:
        try:
            yield one
        except BaseException as error:
            fail(one, type(error).__name__)
            raise


def fail(one: Span, error: str) -> None:
    """The part did not do what it was asked. `error`: a word of the code."""
    one.set_attribute(ERROR, error)
    one.set_status(StatusCode.ERROR)


def current_id() -> str:
    """The trace that is under way, 32 hexadecimal digits; empty where none is."""
    found = get_current_span().get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else ""
