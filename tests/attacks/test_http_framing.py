"""Where one request ends and the next begins is not for a client to blur (request smuggling)."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.e2e.server import Server

HIDDEN = b"GET /health/live HTTP/1.1\r\nHost: portal\r\n\r\n"


def statuses(server: Server, request: bytes) -> list[bytes]:
    """The status of every answer that comes until the server closes or falls silent."""
    host, port = urlsplit(server.url).hostname, server.port
    heard = b""
    with socket.create_connection((host, port), timeout=3) as connection:
        connection.sendall(request)
        try:
            while part := connection.recv(65536):
                heard += part
        except TimeoutError:
            pass
    return re.findall(rb"HTTP/1\.1 (\d{3})", heard)


def post(server: Server, *headers: bytes) -> bytes:
    common = (b"Host: portal", b"Origin: " + server.url.encode())
    return b"\r\n".join((b"POST /session/close HTTP/1.1", *common, *headers)) + b"\r\n\r\n"


def test_an_honest_request_is_answered_once(server: Server) -> None:
    assert statuses(server, post(server, b"Content-Length: 0", b"Connection: close")) == [b"303"]


def test_with_transfer_encoding_the_content_length_does_not_count(server: Server) -> None:
    # By the length a body of 1000 bytes would still be awaited; by the encoding it is over.
    request = post(server, b"Content-Length: 1000", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"

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
