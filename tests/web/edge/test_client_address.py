"""X-Forwarded-For counts only as far as one's own proxies wrote it."""

from __future__ import annotations

import pytest

from medonline.web.edge.client_address import client_address, with_client

PEER = "10.0.0.7"


def address(*headers: str, hops: int) -> str:
    lines = [(b"x-forwarded-for", header.encode()) for header in headers]
    return client_address(with_client({"type": "http", "client": (PEER, 5), "headers": lines}, hops))


@pytest.mark.parametrize(
    ("headers", "hops", "expected"),
    [
        (["203.0.113.9"], 0, PEER),
        (["203.0.113.9"], 1, "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9"], 1, "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9"], 1, "203.0.113.9"),
        (["127.0.0.1, 203.0.113.9, 192.0.2.1"], 2, "203.0.113.9"),
        (["127.0.0.1", "203.0.113.9,192.0.2.1"], 2, "203.0.113.9"),
        (["203.0.113.9"], 2, PEER),
        ([], 1, PEER),
        (["203.0.113.9:4711"], 1, "203.0.113.9"),
        (["[2001:db8::1]:4711"], 1, "2001:db8::1"),
        (["2001:DB8:0::1"], 1, "2001:db8::1"),
        (["::ffff:203.0.113.9"], 1, "203.0.113.9"),
    ],
)
def test_the_address_that_the_outermost_own_proxy_saw(headers: list[str], hops: int, expected: str) -> None:
    assert address(*headers, hops=hops) == expected


@pytest.mark.parametrize(
    "forged",
    ["", ",", "localhost", "999.1.1.1", "1.1.1.1\r\nX: y", "a" * 100_000, "'; --", "1.1.1.1 2.2.2.2", "٣.1.1.1"],
)
@pytest.mark.parametrize("hops", [1, 2])
def test_what_is_no_address_is_not_believed(forged: str, hops: int) -> None:
    assert address(forged, hops=hops) == PEER


def test_no_header_that_claims_an_origin_goes_further() -> None:
    claims = [b"x-forwarded-for", b"X-Forwarded-Proto", b"x-forwarded-host", b"x-real-ip", b"forwarded"]
    scope = with_client({"type": "http", "client": (PEER, 5), "headers": [(c, b"1.1.1.1") for c in claims]}, 1)

    assert scope["headers"] == []
