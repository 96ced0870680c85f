"""A stand-in of a collector: OTLP over HTTP on loopback. It keeps what it receives, or never answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.patience import PATIENCE


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it arrived."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]


@dataclass
class Collector:
    """bodies: of every request, as they came. arrived: set at the first. may_answer: until it is set no request is answered."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def spans(self) -> list[Seen]:
        """All that arrived."""
        found = []
        for body in self.bodies:
            for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for of_scope in of_resource.scope_spans:
                    for one in of_scope.spans:
                        values = {
                            pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in one.attributes
                        }
                        assert (len(one.events), len(one.links), one.status.message) == (0, 0, "")
                        found.append(
                            Seen(one.name, one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex(), values)
                        )
        return found

    def named(self, name: str) -> list[Seen]:
        """Those with this name."""
        return [one for one in self.spans if one.name == name]


@contextmanager
def collecting(*, answers: bool = True) -> Iterator[Collector]:
    """A collector that runs; with `answers` False it takes connections and requests, and says nothing."""
    collector = Collector()
    if answers:
        collector.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            collector.arrived.set()
            collector.may_answer.wait(PATIENCE)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_values: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    collector.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    try:
        yield collector
    finally:
        collector.may_answer.set()
        server.shutdown()
        server.server_close()
