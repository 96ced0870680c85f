"""Sends spans from this process to a collector, by OTLP over HTTP. A collector that is slow, full or gone costs patients nothing: spans
wait in a bounded queue, a separate thread sends them, and spans without room are dropped."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status
from requests import RequestException, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import SSLError

from medonline.traces import spans

# The only attributes that may leave the process. The code fills each with its own words, never with text that somebody sent.
ATTRIBUTES = frozenset(
    {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "medonline.transaction",
        "medonline.vendor",
        "medonline.outcome",
        "reflex.event.name",
        "reflex.event.background",
        "code.function.name",
        "error.type",
    }
)
MOST_WAITING = 4096  # spans of about 1 KB each
EVERY_MS = 2_000
SENT_WITHIN_S = 2.0
STOPPED_WITHIN_S = 3.0  # spans that are still unsent by then are lost


class OnlyWords(SpanExporter):
    """Passes spans on with only the attributes in `ATTRIBUTES`: without events, links and error texts, no matter who added them."""

    def __init__(self, onward: SpanExporter) -> None:
        self._onward = onward

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass the reduced spans on."""
        return self._onward.export([_cut(span) for span in spans])

    def shutdown(self) -> None:
        """Close the connection."""
        self._onward.shutdown()


def start(url: str, trust: ssl.SSLContext, version: str, percent: int) -> tuple[TracerProvider, Callable[[], None]]:
    """Begin to send this process's spans. Returns the provider that takes spans, and a function that stops it (it blocks for
    `STOPPED_WITHIN_S` at most).

    url: the collector's whole address, like `https://collector.internal:4318/v1/traces`. percent: the share of traces that are kept.
    """
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(percent / 100)),
        resource=Resource({"service.name": "medonline", "service.version": version}),
        shutdown_on_exit=False,
    )
    exporter = OnlyWords(OTLPSpanExporter(url, timeout=SENT_WITHIN_S, session=_session(trust)))
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING, schedule_delay_millis=EVERY_MS)
    )
    spans.follow(provider)

    def stop() -> None:
        spans.follow(None)
        # A daemon thread: the interpreter does not wait for it, so an unresponsive collector cannot keep the process alive.
        last = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
        last.start()
        last.join(STOPPED_WITHIN_S)

    return provider, stop


def trouble_at(url: str, trust: ssl.SSLContext) -> str:
    """What is wrong with a collector, in a few English words. Empty if it accepts traces. The check sends an empty list of spans."""
    try:
        answer = _session(trust).post(
            url, data=b"", headers={"Content-Type": "application/x-protobuf"}, timeout=SENT_WITHIN_S
        )
    except SSLError:
        return "its certificate is not trusted, or it speaks no TLS"
    except RequestException:
        return "no connection, or no answer in time"
    return "" if answer.ok else f"HTTP {answer.status_code}"


def _cut(span: ReadableSpan) -> ReadableSpan:
    attributes = {name: value for name, value in (span.attributes or {}).items() if name in ATTRIBUTES}
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class _Trusting(HTTPAdapter):
    """Trusts the same certificates as the portal's other connections."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)


def _session(trust: ssl.SSLContext) -> Session:
    session = Session()
    session.trust_env = False
    session.mount("https://", _Trusting(trust))
    return session
