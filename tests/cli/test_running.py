"""Commands beside a demo find what it uses, or say how; those that read make nothing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from medonline import frontend
from medonline.cli.running import NAME, noted_in, write_down
from medonline.config.settings import load_config
from tests.cli.commands import ADD, WHY, findings
from tests.sandbox.server import free_port


@pytest.fixture
def _in_a_new_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings, in the folder of the portal, whose `var` has no demo of a developer."""
    before = dict(os.environ)
    monkeypatch.setattr(frontend, "ROOT", tmp_path / "source")
    for name in [name for name in os.environ if name.startswith("MEDONLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]


def noted(folder: Path) -> None:
    """What `serve` does in the demo's folder."""
    write_down(load_config(data_dir=folder, mode="demo"))


def test_the_demo_notes_what_it_uses_for_its_owner_alone(tmp_path: Path) -> None:
    noted(tmp_path)
    found = noted_in(tmp_path)

    assert found is not None
    assert found.mode == "demo"
    assert found.database == f"sqlite:///{tmp_path / 'medonline.sqlite3'}"
    assert found.address == f"http://localhost:{os.environ['MEDONLINE_PORT']}"
    assert found.lives
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(f"{NAME}*")] == [NAME]


def test_a_command_in_the_portals_folder_needs_no_setting(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run(*ADD, "--phone", "+79000002001", stdin="Zima2026")
    noted(tmp_path)
    request.getfixturevalue("_in_a_new_shell")
    monkeypatch.setenv("MEDONLINE_DATA_DIR", str(tmp_path))

    assert run("accounts", "list") == (0, "+7 900 ***-**-01  Орлова Анна\n", "")


@pytest.mark.parametrize("arguments", [["accounts", "list"], ["keys", "list"], ["doctor"]])
@pytest.mark.usefixtures("_in_a_new_shell")
def test_without_a_demo_it_is_said_how_to_name_a_portal(run, tmp_path: Path, arguments: list[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run(*arguments)

    assert (code, out) == (1, "")
    assert err.startswith("No setting names a portal")
    assert "make run" in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("_in_a_new_shell")
@pytest.mark.parametrize(
    "arguments",
    [
        ["accounts", "list"],
        ["accounts", "show", "+79000002001", *WHY],
        ["keys", "list"],
        ["journal", "verify"],
        ["retention"],
    ],
)
def test_a_command_makes_no_database_where_there_is_none(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, out, err = run(*arguments, "--mode", "demo")

    assert (code, out) == (1, "")
    assert err.startswith(f"There is no database at {elsewhere / 'var' / 'medonline.sqlite3'}: ")
    assert list(elsewhere.iterdir()) == []


def test_the_doctor_looks_at_the_port_that_the_demo_uses(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    port = free_port()
    monkeypatch.setenv("MEDONLINE_PORT", str(port))
    noted(tmp_path)
    facts = json.loads((tmp_path / NAME).read_text())
    request.getfixturevalue("_in_a_new_shell")
    monkeypatch.setenv("MEDONLINE_DATA_DIR", str(tmp_path))
    _, out, _ = run("doctor", "--mode", "demo")
    assert f"http://127.0.0.1:{port}/" in findings(out)["telegram"][1]
    assert findings(out)["demo"] == ("ok", f"process {os.getpid()} serves http://localhost:{port}")

    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / NAME).write_text(json.dumps(facts | {"process": ended.pid}))
    code, out, _ = run("doctor")
    assert code == 1
    assert findings(out)["demo"][0] == "FAIL"
    assert "make run" in findings(out)["demo"][1]
