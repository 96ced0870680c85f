"""The pages as the real server sends them."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.state.tab import ACCOUNT, LOGIN, Tab
from tests.state.watching import VISITOR


@pytest.fixture
def http(server: Server) -> httpx.Client:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/recovery", "/cards"])
def test_each_page_is_a_russian_document_that_is_never_cached(http: httpx.Client, path: str) -> None:
    answer = http.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert '<html lang="ru"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_first_page_names_the_browser(http: httpx.Client) -> None:
    cookie = http.get("/").headers.get_list("set-cookie")[0]

    assert re.fullmatch(
        rf"{VISITOR}=[\w-]{{43}}\.[0-9a-f]{{32}}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000", cookie
    )
    assert "set-cookie" not in http.get("/recovery").headers


def test_scripts_are_kept_for_ever_and_compressed(http: httpx.Client) -> None:
    paths = re.findall(r"/assets/[\w.-]+\.js", http.get("/").text)
    answer = http.get(paths[0], headers={"Accept-Encoding": "br, gzip"})

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] in ("br", "gzip")


@pytest.mark.parametrize("path", ["/", "/recovery", "/cards", "/no/such/page"])
def test_a_page_asks_for_nothing_before_its_first_frame(http: httpx.Client, path: str) -> None:
    page = http.get(path).text

    assert re.findall(r"<script[^>]* src=|<link[^>]* rel=\"(?!icon)[^\"]*\"|type=\"module\"", page) == []
    assert len(re.findall(r"<style>", page)) == 1


@pytest.mark.parametrize("path", ["/", "/recovery", "/cards"])
def test_a_page_asks_for_one_script_of_the_portal_afterwards_and_for_no_module_of_it(
    http: httpx.Client, path: str
) -> None:
    asked = re.findall(r'id="app-start" data-script="([^"]+)"', http.get(path).text)

    assert asked == ["/portal.js"]
    answer = http.get(asked[0], headers={"Accept-Encoding": "br"})
    assert answer.headers["content-encoding"] == "br"
    assert not re.search(r"\bimport\b", answer.text)


def test_the_portals_own_style_and_script_are_asked_for_again(http: httpx.Client) -> None:
    for path in ("/portal.css", "/portal.js"):
        assert http.get(path).headers["cache-control"] == "no-cache"


def test_no_page_names_an_address_outside(http: httpx.Client, server: Server) -> None:
    for path in ("/", "/recovery", "/cards"):
        found = set(re.findall(r"(?:src|href)=[\"'](https?:[^\"']+)", http.get(path).text))
        assert {address for address in found if not address.startswith(server.url)} == set()


def test_a_ticket_from_the_form_opens_a_session_that_greets_by_name(http: httpx.Client, server: Server) -> None:
    http.get("/")
    with Tab(server.url, dict(http.cookies)) as tab:
        tab.call(f"{LOGIN}.log_in", form={"phone": "8 900 000-10-02", "password": "Poliklinika7", "page": "p"})
        ticket = tab.wait_for(LOGIN, "ticket")
    opened = http.post("/session/open", data={"ticket": ticket}, headers={"Origin": server.url})
    assert (opened.status_code, opened.headers["location"]) == (303, "/cards")

    with Tab(server.url, dict(http.cookies), path="/cards") as tab:
        tab.call(f"{ACCOUNT}.load_page")
        assert tab.wait_for(ACCOUNT, "greeting") == "Алексей Игоревич"
        http.post("/session/close", headers={"Origin": server.url})
        tab.wait_until_closed()  # signing out closes the session's sockets


def test_the_server_is_ready(http: httpx.Client) -> None:
    answer = http.get("/health/ready")

    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "dispatcher": "ok"})
