"""A folder with a migrated database, the demo's settings, and the command called in this process."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from medonline.cli.main import main
from medonline.storage import migrations
from tests.sandbox.server import API_ID, KEY, MAX_TOKEN, SERVICE_ID, TOKEN, free_port, running_sandbox, settings


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, made once and copied for each test."""
    path = tmp_path_factory.mktemp("migrated") / "medonline.sqlite3"
    asyncio.run(migrations.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
def nothing_migrated() -> None:
    """Asked for by a test of the very first command in a new folder."""


@pytest.fixture(autouse=True)
def _settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, migrated: Path, request: pytest.FixtureRequest
) -> Iterator[None]:
    if "nothing_migrated" not in request.fixturenames:
        shutil.copyfile(migrated, tmp_path / "medonline.sqlite3")
        (tmp_path / "medonline.sqlite3").chmod(0o600)
    for name in [name for name in os.environ if name.startswith("MEDONLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")  # help is as wide as the terminal, and an outer one may be narrower
    monkeypatch.setenv("MEDONLINE_MODE", "demo")
    monkeypatch.setenv("MEDONLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MEDONLINE_PORT", str(free_port()))
    before = os.umask(0o022)  # a shell's own
    yield
    os.umask(before)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Call the command; gives (exit code, output, errors)."""

    def running(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return running


@pytest.fixture
def _providers(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory):
    socket = tmp_path_factory.mktemp("mail") / "mail.sock"
    with running_sandbox(settings(fhir_token="fhir-token", mail_socket=socket)) as url:
        monkeypatch.setenv("MEDONLINE_SMTP_SOCKET", str(socket))
        monkeypatch.setenv("MEDONLINE_TELEGRAM_BASE_URL", f"{url}/telegram")
        monkeypatch.setenv("MEDONLINE_TELEGRAM_TOKEN", TOKEN)
        monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", f"{url}/ucaller")
        monkeypatch.setenv("MEDONLINE_UCALLER_KEY", KEY)
        monkeypatch.setenv("MEDONLINE_UCALLER_SERVICE_ID", SERVICE_ID)
        monkeypatch.setenv("MEDONLINE_SMS_RU_BASE_URL", f"{url}/sms_ru")
        monkeypatch.setenv("MEDONLINE_SMS_RU_API_ID", API_ID)
        monkeypatch.setenv("MEDONLINE_MAX_BASE_URL", f"{url}/max/api")
        monkeypatch.setenv("MEDONLINE_MAX_TOKEN", MAX_TOKEN)
        monkeypatch.setenv("MEDONLINE_IDENTITY_PROVIDER", "none")
        monkeypatch.setenv("MEDONLINE_CARD_REGISTRY_URL", f"{url}/fhir")
        monkeypatch.setenv("MEDONLINE_CARD_REGISTRY_TOKEN", "fhir-token")
        yield
