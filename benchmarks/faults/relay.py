"""Between the portal and the stand-ins: passes everything on, until one provider is told to misbehave.

The stand-ins have faults of their own by number; these here are of a provider as a whole, and end when they are told to.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

# Longer than the portal waits for any provider (`providers.http.MAX_TIMEOUT`).
LATE_S = 7.0
_HTML = b"<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>"


class Fault(StrEnum):
    """What the provider does. Late: the work is done at once, the answer comes when the portal has given up. Twice: the network
    repeats each request."""

    NONE = "none"
    SILENT = "silent"
    ERROR_500 = "500"
    HTML = "html"
    LATE = "late"
    TWICE = "twice"


class Relay(ThreadingHTTPServer):
    """`target`: the stand-ins, without a slash at the end. `asked`: requests by provider and fault."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target = ""
        self.asked = Counter[tuple[str, Fault]]()
        self.released = threading.Event()
        self._faults: dict[str, Fault] = {}
        self.http = httpx.Client(trust_env=False, timeout=30)

    @property
    def url(self) -> str:
        """Where the portal finds it."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def misbehaving(self, provider: str, fault: Fault) -> Iterator[None]:
        """The first part of the path names the provider."""
        self.released.clear()
        self._faults[provider] = fault
        try:
            yield
        finally:
            del self._faults[provider]
            self.released.set()

    def fault_of(self, provider: str) -> Fault:
        """What this provider does now."""
        return self._faults.get(provider, Fault.NONE)


class _Passing(BaseHTTPRequestHandler):
    server: Relay

    def _answer(self) -> None:
        provider = self.path.split("/")[1]
        fault = self.server.fault_of(provider)
        self.server.asked[provider, fault] += 1
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if fault is Fault.SILENT:
            self.server.released.wait(LATE_S)
            self.close_connection = True
            return
        if fault is Fault.ERROR_500:
            self._send(500, "application/json", b'{"error": "internal"}')
            return
        if fault is Fault.HTML:
            self._send(200, "text/html", _HTML)
            return
        answer = self._passed_on(body)
        if fault is Fault.TWICE:
            answer = self._passed_on(body)
        if fault is Fault.LATE:
            threading.Event().wait(LATE_S)
        self._send(answer.status_code, answer.headers.get("content-type", ""), answer.content)

    def do_GET(self) -> None:
        """As any method."""
        self._answer()

    def do_POST(self) -> None:
        """As any method."""
        self._answer()

    def _passed_on(self, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN_HEADERS}
        return self.server.http.request(self.command, f"{self.server.target}{self.path}", content=body, headers=headers)

    def _send(self, status: int, kind: str, body: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # the portal has given up: that is what a late answer is for
            self.close_connection = True

    def log_message(self, *_values: object) -> None:
        """Nothing: the portal's log says what it made of it."""


_OWN_HEADERS = ("host", "connection", "content-length", "transfer-encoding")


@contextmanager
def relay() -> Iterator[Relay]:
    """One that serves in a thread."""
    server = Relay()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        server.http.close()
