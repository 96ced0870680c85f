"""Spans are the parts of a trace. While no collector is set, each costs one comparison.

A span's name and attributes are words of the code: a route of the table, a handler, a transaction, a vendor. `export.OnlyWords` removes
everything else before it leaves the process, so a new attribute must be added there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider, get_current_span

__all__ = ["SpanKind", "current_id", "fail", "follow", "is_followed", "span"]

ERROR = "error.type"
_NOWHERE = get_current_span(Context())  # accepts everything and keeps nothing
_tracer: Tracer | None = None


def follow(provider: TracerProvider | None) -> None:
    """Set where this process's spans go from now on. None: nowhere."""
    global _tracer
    _tracer = provider.get_tracer("medonline") if provider is not None else None


def is_followed() -> bool:
    """Whether spans go anywhere."""
    return _tracer is not None


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, begins: bool = False, **words: str | int | bool
) -> Iterator[Span]:
    """A part of the work in progress. The context manager's value accepts more attributes.

    begins: start a new trace here, even inside another one.
    words: attributes, with `__` for the dots in their names. If an error leaves the block, only its type is recorded.
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
        record_exception=False,  # an error's text may quote what a patient typed
        set_status_on_exception=False,
    ) as one:
        try:
            yield one
        except BaseException as error:
            fail(one, type(error).__name__)
            raise


def fail(one: Span, error: str) -> None:
    """Mark this part as failed. `error`: a word of the code."""
    one.set_attribute(ERROR, error)
    one.set_status(StatusCode.ERROR)


def current_id() -> str:
    """The id of the current trace, 32 hexadecimal digits. Empty if there is none."""
    found = get_current_span().get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else ""
