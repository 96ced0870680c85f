"""A canary password, a code and a session token appear nowhere in clear: not in logs, data, the bundle or the browser's stores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from medonline import frontend
from tests.e2e.conftest import StartServer
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import TELEGRAM, Portal
from tests.e2e.server import Server
from tests.in_clear import holds_code

CANARY = "Kanareyka2026Zheltaya"
MISTYPED = "Kanareyka2026Sinyaya"
COMPRESSED = {".br", ".gz"}


@pytest.fixture(scope="module")
def talkative_server(start_server: StartServer) -> Server:
    return start_server("talkative", LOG_LEVEL="debug")


@pytest.fixture
def server(talkative_server: Server) -> Server:
    return talkative_server


@dataclass(frozen=True)
class Secrets:
    code: str
    tokens: list[str]

    def in_clear(self, content: bytes) -> list[str]:
        """The names of the secrets that the content holds."""
        texts = {"canary password": CANARY, "mistyped password": MISTYPED}
        texts |= {f"token {number}": token for number, token in enumerate(self.tokens)}
        found = [name for name, text in texts.items() if text.encode() in content]
        return [*found, "code"] if holds_code(content.decode("latin-1"), self.code) else found


@pytest.fixture
def secrets(portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server) -> Secrets:
    """The secrets of a whole recovery and two sign-ins, mistakes included. The server has written everything that it will write."""
    portal.open_recovery().begin(patient.phone, TELEGRAM)
    code = demo_phone.code(patient.phone, "telegram")
    portal.submit_code(f"{(int(code) + 1) % 10**6:06}")
    portal.expect_error("Код не подошёл")
    portal.confirm(code)
    portal.submit_password(f"{CANARY}!")
    portal.expect_error("только латинские буквы и цифры")
    portal.set_password(CANARY)
    portal.submit_login(patient.phone, MISTYPED)
    expect(portal.error).to_be_visible()
    portal.submit_login(patient.phone, CANARY)
    portal.expect_cards()
    tokens = [cookie["value"] for cookie in portal.page.context.cookies() if cookie["name"].startswith("medonline_")]
    assert len(tokens) == 4, "the cookies of a visitor, of a sitting, of a session and of the accounts known here"
    stores = portal.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    kept = Secrets(code, tokens)
    assert kept.in_clear(stores.encode()) == []
    portal.page.context.close()
    server.stop()
    return kept


def test_no_secret_is_in_the_log_the_data_or_the_bundle(secrets: Secrets, server: Server) -> None:
    # The sandbox plays the outside world, so it must know the codes that it delivers.
    data = [path for path in files_in(server.data_dir) if not path.name.startswith("sandbox.sqlite3")]
    bundle = [path for path in files_in(frontend.BUILT) if path.suffix not in COMPRESSED]
    assert any(path.name == "medonline.sqlite3" for path in data)
    assert bundle

    found = {str(path): secrets.in_clear(path.read_bytes()) for path in (server.log, *data)}
    # A bundle contains many numbers, and it was built before the code was made.
    found |= {str(path): [name for name in secrets.in_clear(path.read_bytes()) if name != "code"] for path in bundle}

    assert {path: names for path, names in found.items() if names} == {}
    assert b"DEBUG" in server.log.read_bytes(), "the log was not talkative"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
