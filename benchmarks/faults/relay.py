"""A relay between the portal and the stand-ins. It forwards everything until one provider is told to misbehave.

The stand-ins have their own faults for single numbers. The faults here concern a whole provider, and last until they are switched off.
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
    """What the provider does. Late: it does the work at once, but the answer comes after the portal has given up. Twice: the network
    repeats each request."""

    NONE = "none"
    SILENT = "silent"
    ERROR_500 = "500"
    HTML = "html"
    LATE = "late"
    TWICE = "twice"


class Relay(ThreadingHTTPServer):
    """`target`: the address of the stand-ins, without a final slash. `asked`: requests by provider and fault."""

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
        """The address for the portal."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def misbehaving(self, provider: str, fault: Fault) -> Iterator[None]:
        """Let a provider misbehave within the block. The first part of the path names the provider."""
        self.released.clear()
        self._faults[provider] = fault
        try:
            yield
        finally:
            del self._faults[provider]
            self.released.set()

    def fault_of(self, provider: str) -> Fault:
        """The current fault of this provider."""
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
        """Forward it like any method."""
        self._answer()

    def do_POST(self) -> None:
        """Forward it like any method."""
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
        except OSError:  # the portal has given up, which is the purpose of a late answer
            self.close_connection = True

    def log_message(self, *_values: object) -> None:
        """Log nothing: the portal's log shows how it handled the answer."""


_OWN_HEADERS = ("host", "connection", "content-length", "transfer-encoding")


@contextmanager
def relay() -> Iterator[Relay]:
    """A relay that serves in a thread."""
    server = Relay()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        server.http.close()
