"""A request that names another host than the portal's is refused before anything answers it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.web.edge.boundary import Boundary
from medonline.web.edge.hosts import name_of
from tests.services.world import MovableClock, opened
from tests.web.conftest import Browser
from tests.web.production import ORIGIN, SETTINGS

FOREIGN = [
    "evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "127.0.0.1:8000x",
    "[::1]evil",
    "",
    "a b",
]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/cards", "/portal.css", "/session/left", "/nowhere", "/sandbox/phone"])
async def test_another_host_is_refused_and_told_where_the_portal_is(
    open_browser: Browser, caplog: pytest.LogCaptureFixture, host: str, path: str
) -> None:
    with caplog.at_level(logging.WARNING, "medonline"):
        answer = await open_browser().get(path, headers={"Host": host})

    assert answer.status_code == 421
    assert "Портал открывается по адресу http://localhost:8000." in answer.text
    assert "evil" not in answer.text + str(answer.headers)
    assert "set-cookie" not in answer.headers
    assert caplog.messages == ["Request refused: it is asked for by another host than the portal's"]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST.:8000", "[::1]:8000", "127.0.0.1:9"])
async def test_a_name_of_its_own_passes_with_any_port(open_browser: Browser, host: str) -> None:
    assert (await open_browser().get("/recovery", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/health/live", 200), ("/health/ready", 200), ("/metrics", 404)])
async def test_machines_ask_a_process_by_whatever_address_it_has(open_browser: Browser, path: str, status: int) -> None:
    answer = await open_browser(raises=False).get(path, headers={"Host": "10.0.0.7:8001"})

    assert answer.status_code in (status, 503)  # no dispatcher turns here


async def test_two_hosts_are_none(open_browser: Browser) -> None:
    twice = [("Host", "127.0.0.1:8000"), ("Host", "localhost:8000")]

    assert (await open_browser().get("/", headers=twice)).status_code == 421


async def test_in_production_the_public_name_and_those_that_are_allowed_pass_and_no_others(
    folder: Path, clock: MovableClock, site_of: Callable[[Portal], Boundary]
) -> None:
    settings = {name.lower(): value for name, value in SETTINGS.items()}
    settings["allowed_hosts"] = "portal.internal, 10.0.0.7"
    async with opened(folder, clock, **settings) as portal:
        transport = httpx.ASGITransport(site_of(portal))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            statuses = {
                host: (await client.get("/recovery", headers={"Host": host})).status_code
                for host in ("portal.example.ru", "portal.internal", "10.0.0.7:8001", "localhost", "example.ru")
            }

    assert statuses == {
        "portal.example.ru": 200,
        "portal.internal": 200,
        "10.0.0.7:8001": 200,
        "localhost": 421,
        "example.ru": 421,
    }


async def test_a_socket_by_another_host_is_closed_before_its_handshake(
    portal: Portal, site_of: Callable[[Portal], Boundary], caplog: pytest.LogCaptureFixture
) -> None:
    headers = [(b"origin", b"http://localhost:8000"), (b"host", b"evil.example")]
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    with caplog.at_level(logging.WARNING):
        await site_of(portal)({"type": "websocket", "path": "/_event/", "headers": headers}, receive, send)  # type: ignore[arg-type]

    assert caplog.messages == ["Socket refused: it is asked for by another host than the portal's"]
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Portal.Example.ru", "portal.example.ru"),
        ("portal.example.ru.:443", "portal.example.ru"),
        ("[2001:DB8::7]:8001", "2001:db8::7"),
        ("portal.example.ru:", ""),
        ("user@portal.example.ru", ""),
        ("портал.рф", ""),
        ("", ""),
    ],
)
def test_a_name_is_read_to_the_letter(host: str, name: str) -> None:
    assert name_of(host) == name
