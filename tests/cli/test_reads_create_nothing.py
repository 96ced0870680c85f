"""A command that only reads leaves no file and no folder where there was none: not even the demo's keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from medonline.cli.main import medonline
from tests.cli.commands import WHY

PHONE = "+79000002001"
# Commands that begin something may make files: with an empty folder there is something to make.
BEGIN = {"accounts add", "accounts import", "build", "migrate", "restore", "sandbox", "serve"}
OTHERS = {
    "accounts end-sessions": [PHONE, *WHY],
    "accounts erase": [PHONE, "--yes", *WHY],
    "accounts export": [PHONE, *WHY],
    "accounts find": [PHONE],
    "accounts identities": [PHONE],
    "accounts list": [],
    "accounts passkeys": [PHONE],
    "accounts remove-passkey": [PHONE, "1", *WHY],
    "accounts set-phone": [PHONE, PHONE, *WHY],
    "accounts show": [PHONE, *WHY],
    "accounts unlink": [PHONE, "1", *WHY],
    "backup": ["copy.sqlite3"],
    "breaker close": WHY,
    "breaker show": [],
    "channels list": [],
    "channels off": ["telegram", *WHY],
    "channels on": ["telegram", *WHY],
    "copy-database": ["--to", "postgresql+psycopg://nobody@127.0.0.1:1/nothing"],
    "doctor": [],
    "journal export": [],
    "journal verify": [],
    "keys list": [],
    "keys new": [],
    "keys reseal": [],
    "limits reset": [PHONE, "--address", "192.0.2.1", *WHY],
    "limits show": [PHONE, "--address", "192.0.2.1"],
    "notices list": [],
    "notices resend": ["--all", *WHY],
    "retention": [],
}
PRODUCTION = {
    "MODE": "production",
    "TRUSTED_PROXY_HOPS": "1",
    "PUBLIC_URL": "https://portal.example.ru",
    "SECRET_KEY": "2b7e151628aed2a6abf7158809cf4f3c",
    "CODE_CHANNELS": "flash_call",
    "UCALLER_KEY": "a-key",
    "UCALLER_SERVICE_ID": "42",
    "UCALLER_BASE_URL": "http://127.0.0.1:1",
    "IDENTITY_PROVIDER": "none",
}
PORTALS = {
    "demo": {"MODE": "demo"},
    "demo on PostgreSQL": {"MODE": "demo", "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"},
    "demo in a folder that is named": {"MODE": "demo", "DATA_DIR": "elsewhere"},
    "production": PRODUCTION,
    "no settings": {},
}


def called(group: click.Group = medonline, above: str = "") -> Iterator[str]:
    """Every command, as it is typed."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from called(command, f"{above}{name} ")
        else:
            yield f"{above}{name}"


def test_every_command_is_known_here() -> None:
    assert {*called()} == BEGIN | {*OTHERS}


@pytest.mark.usefixtures("nothing_migrated")
@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("command", OTHERS)
def test_it_makes_nothing_in_an_empty_folder(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, portal: str
) -> None:
    monkeypatch.setattr("medonline.frontend.ROOT", tmp_path / "installed")  # no demo of a developer
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    for name in ("MODE", "DATA_DIR"):
        monkeypatch.delenv(f"MEDONLINE_{name}")
    for name, value in PORTALS[portal].items():
        monkeypatch.setenv(f"MEDONLINE_{name}", value)
    code, out, err = run(*command.split(), *OTHERS[command])

    assert [*empty.rglob("*")] == []
    assert "fault of the program" not in err
    if command != "keys new":
        assert code in (1, 2), out + err
        assert out + err
