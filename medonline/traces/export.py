"""From this process to a collector, by OTLP over HTTP. A collector that is slow, full or gone costs patients nothing: spans wait in a
queue with an end, a thread of its own sends them, and what has no room is lost."""

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

# All that may leave. Each is filled with words of the code, never with what somebody sent.
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
MOST_WAITING = 4096  # spans, of some 1 KB
EVERY_MS = 2_000
SENT_WITHIN_S = 2.0
STOPPED_WITHIN_S = 3.0  # what is left by then is lost


class OnlyWords(SpanExporter):
    """Hands on spans with the attributes of `ATTRIBUTES` alone: no events, links and texts of errors, whoever made them."""

    def __init__(self, onward: SpanExporter) -> None:
        self._onward = onward

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand them on, cut."""
        return self._onward.export([_cut(span) for span in spans])

    def shutdown(self) -> None:
        """Close the connection."""
        self._onward.shutdown()


def start(url: str, trust: ssl.SSLContext, version: str, percent: int) -> tuple[TracerProvider, Callable[[], None]]:
    """Begin to send this process's spans. Gives where they go, and what ends it (blocks for `STOPPED_WITHIN_S` at most).

    url: of the collector, whole, as `https://collector.internal:4318/v1/traces`. percent: of traces that are kept.
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
        # Not waited for by the interpreter: a collector that does not answer must not keep a process.
        last = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
        last.start()
        last.join(STOPPED_WITHIN_S)

    return provider, stop


def trouble_at(url: str, trust: ssl.SSLContext) -> str:
    """What is wrong at a collector, in a few English words; empty where it takes traces. It is sent none: an empty list."""
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
    """Believes the same certificates as the portal's other connections."""

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
