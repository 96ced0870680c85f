"""Reflex's own trace points: a span for each handler that an event calls, and for each handler that follows from it."""

from __future__ import annotations

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import TracerProvider
from reflex_base import otel


def follow_events(provider: TracerProvider) -> None:
    """Create these spans from now on. Danger: it trusts the `traceparent` of an event, so `web.sockets.frames` lets none through."""
    otel.enable(provider, NoOpMeterProvider())


def follow_no_more() -> None:
    """Stop creating these spans."""
    otel.disable()
