"""Where one request ends and the next begins is not for a client to blur (request smuggling)."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.server import Server
from tests.patience import PATIENCE

HIDDEN = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


def statuses(server: Server, request: bytes) -> list[bytes]:
    """The status of every answer that comes until the server closes."""
    host, port = urlsplit(server.url).hostname, server.port
    heard = b""
    with socket.create_connection((host, port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                heard += part
    return re.findall(rb"HTTP/1\.1 (\d{3})", heard)


def post(server: Server, *headers: bytes) -> bytes:
    common = (b"Host: localhost", b"Origin: " + server.url.encode())
    return b"\r\n".join((b"POST /session/close HTTP/1.1", *common, *headers)) + b"\r\n\r\n"


def test_an_honest_request_is_answered_once(server: Server) -> None:
    assert statuses(server, post(server, b"Content-Length: 0", b"Connection: close")) == [b"303"]


def test_with_transfer_encoding_the_content_length_does_not_count(server: Server) -> None:
    # By the length a body of 1000 bytes would still be awaited; by the encoding it is over.
    both = (b"Content-Length: 1000", b"Transfer-Encoding: chunked")
    request = post(server, *both, b"Connection: close") + b"0\r\n\r\n"

    assert statuses(server, request) in ([b"303"], [b"400"])


@pytest.mark.parametrize(
    "headers",
    [
        (b"Content-Length: 4", b"Content-Length: 60"),
        (b"Content-Length: +4",),
        (b"Content-Length: 0x4",),
        (b"Content-Length: 4 4",),
        (b"Transfer-Encoding: chunked, identity",),
        (b"Transfer-Encoding : chunked",),
    ],
    ids=repr,
)
def test_a_length_that_could_be_read_in_two_ways_is_refused(server: Server, headers: tuple[bytes, ...]) -> None:
    assert statuses(server, post(server, *headers) + b"abcd" + HIDDEN)[:1] in ([b"400"], [])


# --- requests that are never finished --------------------------------------------------------------------------------

MANY = 1300  # the server's own backlog is 1024
UNFINISHED = {
    "a declared body": lambda server: post(server, b"Content-Length: 1000") + b"ticket=",
    "a chunked body": lambda server: post(server, b"Transfer-Encoding: chunked") + b"5\r\nticke",
    "a report of Telegram": lambda _: (
        b"POST /callbacks/telegram HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    ),
    "a body to a stand-in": lambda _: (
        b"POST /sandbox/fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    ),
    "a read with a body": lambda _: b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
    "a head": lambda _: b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "a request line": lambda _: b"GET /he",
    "no byte": lambda _: b"",
    "the first bytes of HTTP/2": lambda _: b"PRI * HTT",
    "the preface of HTTP/2": lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an answered request": lambda _: HIDDEN,
}


def is_live(server: Server) -> bool:
    return httpx.get(f"{server.url}/health/live", trust_env=False, timeout=30).status_code == 200


def wait_for_the_end(connections: list[socket.socket], within: float) -> bytes:
    """What the first of them heard. Reads on until the server has closed every one.

    Raises:
        TimeoutError: one of them is still open; `within`: seconds of silence.
    """
    heard = b""
    for number, connection in enumerate(connections):
        connection.settimeout(within)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                heard += part if number == 0 else b""
    return heard


@pytest.fixture(scope="module")
def unfinished(attacked: Server) -> Iterator[dict[str, socket.socket]]:
    """All at once: each waits for the server's deadline, and none needs to wait for another."""
    with contextlib.ExitStack() as stack:
        connections = {}
        for what, request in UNFINISHED.items():
            connection = socket.create_connection(("127.0.0.1", attacked.port))
            connections[what] = stack.enter_context(contextlib.closing(connection))
            connection.sendall(request(attacked))
        yield connections


@pytest.mark.parametrize("what", UNFINISHED)
def test_what_is_never_finished_is_cut(server: Server, unfinished: dict[str, socket.socket], what: str) -> None:
    heard = wait_for_the_end([unfinished[what]], within=30)

    if what in ("a declared body", "a chunked body", "a report of Telegram", "a body to a stand-in"):
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert "Запрос не пришёл целиком".encode() in heard


def test_unfinished_bodies_by_the_thousand_stop_nobody(server: Server) -> None:
    request = UNFINISHED["a declared body"](server)
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(MANY):
            connection = stack.enter_context(contextlib.closing(socket.create_connection(("127.0.0.1", server.port))))
            connection.sendall(request)
            connections.append(connection)
        assert is_live(server)
        wait_for_the_end(connections, within=60)

    assert is_live(server)
