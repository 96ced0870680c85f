"""Reflex's trace points are switched on for one provider, and off again."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from reflex_base import otel

from medonline.framework.traces import follow_events, follow_no_more


def test_reflex_makes_its_spans_with_the_provider_it_is_given_until_it_is_told_to_stop() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))

    follow_events(provider)
    with otel.span("a phase"):
        pass
    follow_no_more()
    with otel.span("another phase") as none:
        assert none is None

    assert [one.name for one in kept.get_finished_spans()] == ["a phase"]
