"""nginx with the files of deploy/ in front of a portal that runs: TLS, HTTP/2, the socket, bodies, assets, a portal that is gone."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from medonline import routes
from medonline.framework.sockets import NAMESPACE
from medonline.web.edge.body import MAX_BODY
from tests.deploy import nginx_files
from tests.e2e.server import Server, ensure_pages
from tests.patience import PATIENCE
from tests.sandbox.server import free_port

pytestmark = pytest.mark.skipif(nginx_files.program() is None, reason="nginx is not installed")

NAME = "portal.example.ru"
UNAVAILABLE = "Портал временно недоступен"
SOCKET = f"{NAMESPACE}/?EIO=4&transport=websocket"


def make_certificate(folder: Path) -> Path:
    """A certificate of the portal's name, and its key beside it, under the names that the site wants."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "fullchain.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return chain


@dataclass(frozen=True, slots=True)
class Site:
    """nginx, and the portal behind it."""

    plain: int
    tls: int
    portal: Server
    trust: ssl.SSLContext

    def connection(self, name: str = NAME, *protocols: str) -> ssl.SSLSocket:
        """A connection on which TLS has begun."""
        context = self.trust
        context.set_alpn_protocols(protocols or ("http/1.1",))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.tls), PATIENCE), server_hostname=name)

    def ask(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        """Over TLS, by the portal's name."""
        with httpx.Client(trust_env=False, verify=self.trust, timeout=PATIENCE) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.tls}{path}",
                headers={"Host": NAME, "Origin": f"https://{NAME}", "Accept-Encoding": "gzip"},
                content=body,
                extensions={"sni_hostname": NAME},
            )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    ensure_pages()
    folder = tmp_path_factory.mktemp("nginx")
    settings = {"PUBLIC_URL": f"https://{NAME}", "TRUSTED_PROXY_HOPS": "1"}
    portal = Server(folder / "var", folder / "portal.log", settings, cheap=True)
    chain = make_certificate(folder)
    plain, tls = free_port(), free_port()
    upstream = (nginx_files.FOLDER / "upstream-machine.conf").read_text(encoding="utf-8")
    upstream = re.sub(r"127\.0\.0\.1:800[12]", f"127.0.0.1:{portal.port}", upstream)
    command = [str(nginx_files.program()), "-e", f"{folder}/error.log", "-p", str(folder), "-c"]
    command.append(str(nginx_files.at_home(folder, upstream, plain, tls)))
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    portal.start()
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + PATIENCE
        while not listens(tls):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)
        yield Site(plain, tls, portal, ssl.create_default_context(cafile=str(chain)))
    finally:
        process.terminate()
        process.wait(PATIENCE)
        portal.stop()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
