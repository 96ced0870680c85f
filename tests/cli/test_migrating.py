"""`medonline migrate`, up and down, and commands over a database of another version."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.commands import ADD


def revision_of(folder: Path) -> str:
    connection = sqlite3.connect(folder / "medonline.sqlite3")
    (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    connection.close()
    return str(found)


def move_stamp(folder: Path, revision: str) -> None:
    connection = sqlite3.connect(folder / "medonline.sqlite3")
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "arguments",
    [["migrate"], ["accounts", "list"], ["serve", "--no-migrate"], [*ADD, "--phone", "+79000002001"]],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_database_of_a_newer_version_is_a_sentence(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    monkeypatch.setattr("medonline.frontend.is_fresh", lambda: True)
    move_stamp(tmp_path, "9999")
    code, _, err = run(*arguments, stdin="Zima2026")

    assert code == 1
    assert err.startswith("The database is at revision 9999, which only a newer version of the portal knows")
    assert "Traceback" not in err


def test_a_database_of_an_older_version_is_left_as_it_is(run, tmp_path: Path) -> None:
    run("migrate", "--to", "0018", "--yes")
    code, out, err = run("accounts", "list")

    assert (code, out) == (1, "")
    assert err.startswith("The database is at revision 0018, the code wants ")
    assert "run `medonline migrate`" in err
    assert revision_of(tmp_path) == "0018"


def test_down_needs_a_yes(run, tmp_path: Path) -> None:
    newest = revision_of(tmp_path)
    code, _, err = run("migrate", "--to", "0018")
    assert (code, "--yes" in err) == (1, True)
    assert revision_of(tmp_path) == newest
    assert run("migrate", "--to", "0018", "--yes")[:2] == (0, "The database is at revision 0018.\n")
    assert revision_of(tmp_path) == "0018"
    assert run("migrate", "--to", newest)[0] == 0

    assert revision_of(tmp_path) == newest


def test_the_journal_is_dropped_only_after_it_was_written_to_a_file(run, tmp_path: Path) -> None:
    newest, kept = revision_of(tmp_path), tmp_path / "journal.jsonl"
    run(*ADD, "--phone", "+79000002001", stdin="Zima2026")
    code, _, err = run("migrate", "--to", "base", "--yes")
    assert (code, "--journal-to" in err) == (1, True)
    assert revision_of(tmp_path) == newest
    code, out, _ = run("migrate", "--to", "base", "--yes", "--journal-to", str(kept))

    assert (code, f"The journal is in {kept}: 1 rows." in out) == (0, True)
    assert [json.loads(line)["event"] for line in kept.read_text(encoding="utf-8").splitlines()] == ["account_made"]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert revision_of(tmp_path) == ""


def test_a_file_that_is_there_is_not_written_over(run, tmp_path: Path) -> None:
    newest, kept = revision_of(tmp_path), tmp_path / "journal.jsonl"
    kept.write_text("of the last time")
    code, _, err = run("migrate", "--to", "0004", "--yes", "--journal-to", str(kept))

    assert (code, "is there already" in err) == (1, True)
    assert kept.read_text() == "of the last time"
    assert revision_of(tmp_path) == newest


def test_a_revision_that_is_none_is_a_sentence(run) -> None:
    code, out, err = run("migrate", "--to", "0003")

    assert (code, out) == (1, "")
    assert err.startswith("There is no revision '0003': the first is 0001, the last ")
