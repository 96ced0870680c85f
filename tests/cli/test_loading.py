"""What a command loads before it answers. Counted in modules: seconds are those of a machine and of what else it does."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path

import click
import pytest

from medonline.cli.main import COMMANDS
from tests.cli.commands import ADD, WHY, every_command

# Each takes a good part of a second to load.
HEAVY = {"alembic", "httpx", "pydantic", "reflex", "reflex_base", "sqlalchemy", "webauthn", "zxcvbn"}
OF_THE_DESK = {"pydantic", "sqlalchemy"}  # the settings and the database
PROGRAM = """
import json, sys
from medonline.cli.main import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """Exit code, and which of the heavy packages a process that runs the command has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(arguments)], capture_output=True, text=True, check=True
    )
    code, packages = json.loads(done.stdout.splitlines()[-1])
    return code, HEAVY & {*packages}


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ("--version", 0),
        ("--help", 0),
        ("nonsense", 2),
        ("accounts find", 2),
        *(
            (f"{group} --help", 0)
            for group in ("accounts", "breaker", "channels", "journal", "keys", "limits", "notices")
        ),
        ("keys new", 0),
    ],
)
def test_help_and_wrong_calls_load_neither_settings_nor_storage(arguments: str, exit_code: int) -> None:
    assert loaded_by(*arguments.split()) == (exit_code, set())


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ("accounts find Nobody", 1),
        ("accounts list", 0),
        ("channels list", 0),
        ("journal verify", 0),
        ("keys list", 0),
        ("notices list", 0),
        ("breaker show", 0),
    ],
)
def test_commands_at_the_desk_load_no_adapter_and_no_migration(arguments: str, exit_code: int) -> None:
    assert loaded_by(*arguments.split()) == (exit_code, OF_THE_DESK)


def test_a_command_whose_act_is_told_to_the_patient_loads_no_adapter_for_it(run, tmp_path: Path) -> None:
    """What it leaves is sent by the portal that serves."""
    assert run(*ADD, "--phone", "+79000002001", stdin="Zima2026")[0] == 0
    act = ("accounts", "set-phone", "+79000002001", "+79000002002", *WHY)

    assert loaded_by(*act) == (0, OF_THE_DESK)
    with closing(sqlite3.connect(tmp_path / "medonline.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM notice").fetchone() == (2,)


def test_the_help_lists_every_command_by_the_name_that_it_has() -> None:
    assert [*COMMANDS] == sorted(COMMANDS)
    of_modules = {
        command.name
        for module in {module for module, _ in COMMANDS.values()}
        for command in vars(import_module(f"medonline.cli.{module}")).values()
        if isinstance(command, click.Command)
    }
    listed = {command.name for command in every_command()} - {"medonline"}
    assert of_modules <= listed
    assert {*COMMANDS} <= of_modules
