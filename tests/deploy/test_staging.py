"""A staging: the portal in one process, the stand-ins in another one, https between them and the browser."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.deploy import nginx_files
from tests.deploy.nginx_runs import NAME, listens, make_certificate
from tests.e2e.gosuslugi_in_browser import SOKOLOV, press_gosuslugi
from tests.e2e.patients import DemoPhone
from tests.e2e.portal_in_browser import NEW_PASSWORD, Portal
from tests.e2e.server import MEDONLINE, ensure_pages, plain_http
from tests.patience import PATIENCE
from tests.sandbox.server import free_port

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(nginx_files.program() is None, reason="nginx is not installed"),
]

PATIENT = "+79161234567"


class Phone(DemoPhone):
    """The demo phone of stand-ins that are alone: nothing of their address is the portal's."""

    def events(self, phone: str) -> list[dict[str, str]]:
        answer = plain_http().get(f"{self._base_url}/phone/{phone}/events")
        answer.raise_for_status()
        found: list[dict[str, str]] = answer.json()
        return found


@dataclass(frozen=True, slots=True)
class Staging:
    """portal, sandbox: their https addresses. port: where the portal's is on this machine. phone: asks the stand-ins directly."""

    portal: str
    port: int
    sandbox: str
    phone: Phone
    home: Path
    settings: dict[str, str]


@contextmanager
def process(command: list[str], settings: dict[str, str], log: Path, port: int) -> Iterator[None]:
    """`medonline` with these settings alone, until it listens."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEDONLINE_")}
    environment |= {f"MEDONLINE_{name}": value for name, value in settings.items()}
    with log.open("wb") as output:
        running = subprocess.Popen([str(MEDONLINE), *command], env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE
        while not listens(port):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        running.terminate()
        assert running.wait(PATIENCE) == 0, log.read_text()


@contextmanager
def https(folder: Path, ports: dict[int, int]) -> Iterator[None]:
    """nginx that ends TLS: by the port of each, the one behind."""
    servers = "".join(
        f"server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate {folder}/fullchain.pem; ssl_certificate_key {folder}/privkey.pem;\n"
        f"location / {{ proxy_pass http://127.0.0.1:{plain}; proxy_http_version 1.1; proxy_set_header Host $http_host;\n"
        "proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Upgrade $http_upgrade;\n"
        'proxy_set_header Connection "upgrade"; } }\n'
        for tls, plain in ports.items()
    )
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"pid {folder}/nginx.pid;\ndaemon off;\nuser root;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{servers}}}\n"
    )
    running = subprocess.Popen(
        [str(nginx_files.program()), "-e", f"{folder}/error.log", "-p", str(folder), "-c", str(configuration)]
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not all(map(listens, ports)):
            assert running.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)
        yield
    finally:
        running.terminate()
        running.wait(PATIENCE)


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staging]:
    ensure_pages()
    folder = tmp_path_factory.mktemp("staging")
    chain = make_certificate(folder, "127.0.0.1")
    plain, tls = (free_port(), free_port()), (free_port(), free_port())
    # The browser finds the portal at this port under its name: pages open their sockets at the port of https.
    portal, sandbox = f"https://{NAME}", f"https://127.0.0.1:{tls[1]}"
    stand_ins = folder / "stand-ins"
    of_stand_ins = {"DATA_DIR": str(stand_ins), "PUBLIC_URL": portal, "SANDBOX_URL": sandbox, "PORT": str(plain[1])}
    settings = {
        "MODE": "staging",
        "DATA_DIR": str(folder / "portal"),
        "PUBLIC_URL": portal,
        "PORT": str(plain[0]),
        "TRUSTED_PROXY_HOPS": "1",
        "SECRET_KEY": f"staging-{secrets.token_hex(32)}",
        "SANDBOX_URL": sandbox,
        "SANDBOX_KEYS": str(stand_ins),
        "CA_FILE": str(chain),
        "IDENTITY_PROVIDER": "oidc",
        "DRAIN": "0 s",
    }
    with (
        process(["sandbox"], of_stand_ins, folder / "stand-ins.log", plain[1]),
        https(folder, dict(zip(tls, plain, strict=True))),
        process(["serve"], settings, folder / "portal.log", plain[0]),
    ):
        yield Staging(portal, tls[0], sandbox, Phone(f"http://127.0.0.1:{plain[1]}"), folder, settings)


@pytest.fixture
def tab(staging: Staging, system_chromium: str | None) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        args = [
            "--disable-gpu",
            f"--host-resolver-rules=MAP {NAME}:443 127.0.0.1:{staging.port}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]
        opened = playwright.chromium.launch(executable_path=system_chromium, args=args)
        yield opened.new_context(locale="ru-RU", timezone_id="Europe/Moscow", ignore_https_errors=True).new_page()
        opened.close()


def medonline(staging: Staging, *command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """A command of the operator, on the portal's host."""
    settings = {f"MEDONLINE_{name}": value for name, value in (staging.settings | changes).items()}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MEDONLINE_")}
    return subprocess.run(
        [str(MEDONLINE), *command], env=plain | settings, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def test_a_password_is_recovered_by_a_code_of_the_stand_ins(staging: Staging, tab: Page) -> None:
    file = staging.home / "patients.csv"
    file.write_text(f"phone,last_name,first_name\n{PATIENT},Иванова,Анна\n", encoding="utf-8")
    made = medonline(staging, "accounts", "import", str(file), "--reason", "a rehearsal")
    assert made.returncode == 0, made.stderr
    portal = Portal(tab, staging.portal)

    portal.open_recovery().begin(PATIENT)
    portal.confirm(staging.phone.code(PATIENT))
    portal.set_password()
    portal.submit_login(PATIENT, NEW_PASSWORD)

    portal.expect_cards()


def test_gosuslugi_by_oidc_leads_there_and_back(staging: Staging, tab: Page) -> None:
    portal = Portal(tab, staging.portal)
    visited: list[str] = []
    portal.page.on("framenavigated", lambda frame: visited.append(frame.url))

    gosuslugi = press_gosuslugi(portal, staging.phone)
    gosuslugi.identify(SOKOLOV)
    gosuslugi.decide()
    portal.page.wait_for_url(f"{staging.portal}/register")

    portal.button("Да, я согласен").click()

    portal.expect_cards()
    expect(portal.header).to_contain_text(SOKOLOV.last_name)
    assert any(address.startswith(f"{staging.sandbox}/gosuslugi/") for address in visited)
    assert not [address for address in visited if "/sandbox" in address]


def test_a_database_of_another_key_is_refused(staging: Staging) -> None:
    """So that of production is: its key cannot be given to a staging (tests/config/test_staging.py)."""
    file = staging.home / "others.csv"
    file.write_text("phone,last_name,first_name\n+79161234569,Петров,Олег\n", encoding="utf-8")
    assert medonline(staging, "accounts", "import", str(file), "--reason", "a rehearsal").returncode == 0

    refused = medonline(staging, "serve", "--port", str(free_port()), SECRET_KEY=f"staging-{secrets.token_hex(32)}")

    assert refused.returncode == 1
    assert "which is not configured" in refused.stderr


def test_doctor_asks_every_stand_in_over_https(staging: Staging) -> None:
    asked = medonline(staging, "doctor")

    assert "mode staging" in asked.stdout
    assert asked.stdout.count(staging.sandbox) >= 4, asked.stdout
    assert asked.returncode == 0, asked.stdout
