"""nginx with the files of deploy/ in front of a portal that runs: TLS, HTTP/2, the socket, bodies, assets, a portal that is gone."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from medonline import routes
from medonline.framework.sockets import NAMESPACE
from medonline.web.edge.body import MAX_BODY
from tests.deploy import nginx_files
from tests.deploy.nginx_runs import NAME, Front, in_front_of
from tests.e2e.server import Server, ensure_pages
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(nginx_files.program() is None, reason="nginx is not installed")

UNAVAILABLE = "Портал временно недоступен"
SOCKET = f"{NAMESPACE}/?EIO=4&transport=websocket"


@dataclass(frozen=True, slots=True)
class Site(Front):
    """nginx, and the portal behind it."""

    portal: Server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    ensure_pages()
    folder = tmp_path_factory.mktemp("nginx")
    settings = {"PUBLIC_URL": f"https://{NAME}", "TRUSTED_PROXY_HOPS": "1"}
    portal = Server(folder / "var", folder / "portal.log", settings, cheap=True)
    portal.start()
    try:
        with in_front_of(portal.port, folder) as front:
            yield Site(front.plain, front.tls, front.trust, front.access_log, portal)
    finally:
        portal.stop()


def test_pages_come_over_http_2_and_by_the_portals_name_alone(site: Site) -> None:
    page = site.ask("GET", routes.RECOVERY)

    assert page.status_code == 200
    assert "Медицина-онлайн" in page.text
    assert page.headers["strict-transport-security"]
    with site.connection(NAME, "h2") as connection:
        assert connection.selected_alpn_protocol() == "h2"
    with pytest.raises(ssl.SSLError):
        site.connection("other.example.ru")


def test_plain_http_leads_to_the_portals_name(site: Site) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{site.plain}/recovery?step=1", headers={"Host": "other.example.ru"}, trust_env=False
    )

    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{NAME}/recovery?step=1")


def test_the_socket_opens_for_pages_of_the_portal_alone(site: Site) -> None:
    address = f"ws://{NAME}:{site.tls}{SOCKET}"

    # «ws», for TLS has begun on the connection already.
    with connect(address, sock=site.connection(), origin=f"https://{NAME}") as opened:
        assert str(opened.recv(PATIENCE)).startswith('0{"sid"')
    with pytest.raises(InvalidStatus, match="403"):
        connect(address, sock=site.connection(), origin="https://other.example.ru")


def test_a_long_body_is_refused_in_russian_and_a_longer_one_by_nginx(site: Site) -> None:
    long = site.ask("POST", routes.SESSION_OPEN, b"x" * (MAX_BODY + 1))
    longer = site.ask("POST", routes.SESSION_OPEN, b"x" * (2 * MAX_BODY + 1))

    assert (long.status_code, "x-request-id" in long.headers) == (413, True)
    assert (longer.status_code, "x-request-id" in longer.headers) == (413, False)


def test_a_request_has_one_id_in_both_logs_and_a_client_cannot_choose_it(site: Site) -> None:
    answer = site.ask("GET", routes.RECOVERY, headers={"X-Request-Id": "chosen-by-the-client"})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    deadline = time.monotonic() + PATIENCE  # nginx writes the line after the answer's last byte
    while f" {answer.headers['x-request-id']}\n" not in site.access_log.read_text():
        assert time.monotonic() < deadline, site.access_log.read_text()
        time.sleep(0.05)


def test_the_icon_is_where_browsers_look_for_one_by_themselves(site: Site) -> None:
    icon = site.ask("GET", "/favicon.ico")

    assert (icon.status_code, icon.content[:4]) == (200, b"\0\0\1\0")
    assert icon.headers["content-type"].startswith("image/")


def test_metrics_stay_inside(site: Site) -> None:
    answer = site.ask("GET", routes.METRICS)

    assert (answer.status_code, "x-request-id" in answer.headers) == (404, False)


def test_while_the_portal_is_gone_its_assets_and_a_page_that_says_so_are_there(site: Site) -> None:
    script = re.findall(r"/assets/[\w.-]+\.js", site.ask("GET", routes.RECOVERY).text)[0]
    before = site.ask("GET", script)
    site.portal.kill()
    try:
        page, after = site.ask("GET", routes.RECOVERY), site.ask("GET", script)
    finally:
        site.portal.start()

    assert page.status_code == 502
    assert UNAVAILABLE in page.text
    assert page.headers["cache-control"] == "no-store"
    assert (after.status_code, after.content) == (200, before.content)
