"""`medonline backup` and `medonline restore`: one moment of the database, whole, and back in its place."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import ADD
from tests.storage.postgresql_server import address_of, administer

INSTALL = (Path(__file__).resolve().parents[2] / "docs" / "install.md").read_text(encoding="utf-8")
Run = Callable[..., tuple[int, str, str]]
FIRST, SECOND = ("--phone", "+79000002001"), ("--phone", "+79000002002")


@pytest.fixture
def kept(run: Run, tmp_path: Path) -> Path:
    """A copy of a database with one account."""
    assert run(*ADD, *FIRST, stdin="Zima2026")[0] == 0
    path = tmp_path / "kept" / "copy.sqlite3"
    path.parent.mkdir()
    code, out, err = run("backup", str(path))
    assert (code, err) == (0, "")
    assert "Its journal is whole: 1 rows." in out
    return path


def database(folder: Path) -> Path:
    return folder / "medonline.sqlite3"


def accounts(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM patient").fetchone()
    return int(count)


def beside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("medonline.sqlite3-before-*"))


def test_a_copy_is_one_private_file_with_what_was_committed(run: Run, tmp_path: Path) -> None:
    run(*ADD, *FIRST, stdin="Zima2026")
    copied = tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(database(tmp_path), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM patient")
        code, out, err = run("backup", str(copied))
        writer.execute("ROLLBACK")

    assert (code, err) == (0, "")
    assert out.startswith(f"{copied}: ")
    assert out.endswith("Its journal is whole: 1 rows.\n")
    assert copied.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy.sqlite3*")) == ["copy.sqlite3"]
    assert accounts(copied) == 1


def test_a_copy_replaces_no_file(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "precious"
    there.write_text("kept")

    code, _, err = run("backup", str(there))

    assert (code, err) == (1, f"{there}: File exists.\n")
    assert there.read_text() == "kept"


def test_a_copy_of_a_broken_journal_is_kept_and_told_of(run: Run, tmp_path: Path) -> None:
    run(*ADD, *FIRST, stdin="Zima2026")
    with closing(sqlite3.connect(database(tmp_path))) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE security_journal SET hash = replace(hash, substr(hash, 1, 1), 'x')")
        connection.commit()

    code, _, err = run("backup", str(tmp_path / "copy.sqlite3"))

    assert (code, err.startswith("Its journal is broken. ")) == (1, True)
    assert accounts(tmp_path / "copy.sqlite3") == 1


def test_what_was_copied_comes_back_and_what_was_there_is_kept(run: Run, tmp_path: Path, kept: Path) -> None:
    run(*ADD, *SECOND, stdin="Zima2026")

    code, out, err = run("restore", str(kept), "--yes")

    assert (code, err) == (0, "")
    (before,) = beside(tmp_path)
    assert f"The database of before is at {before}.\n" in out
    assert "Its journal is whole: 1 rows." in out
    assert (accounts(database(tmp_path)), accounts(before)) == (1, 2)
    assert run("journal", "verify")[0] == 0
    assert run("accounts", "list")[1] == "+7 900 ***-**-01  Орлова Анна\n"
    assert database(tmp_path).stat().st_mode & 0o777 == 0o600
    assert run(*ADD, *SECOND, stdin="Zima2026")[0] == 0


def test_a_restore_into_an_empty_folder_needs_no_yes(run: Run, tmp_path: Path, kept: Path) -> None:
    database(tmp_path).unlink()

    assert run("restore", str(kept))[0] == 0
    assert accounts(database(tmp_path)) == 1
    assert beside(tmp_path) == []


def test_a_restore_over_a_database_needs_a_yes(run: Run, tmp_path: Path, kept: Path) -> None:
    run(*ADD, *SECOND, stdin="Zima2026")

    code, _, err = run("restore", str(kept))

    assert (code, "--yes" in err) == (1, True)
    assert accounts(database(tmp_path)) == 2


def test_a_database_in_use_is_not_replaced(run: Run, tmp_path: Path, kept: Path) -> None:
    run(*ADD, *SECOND, stdin="Zima2026")
    with closing(sqlite3.connect(database(tmp_path))) as other:
        other.execute("SELECT count(*) FROM patient").fetchone()
        code, _, err = run("restore", str(kept), "--yes")

    assert (code, err) == (1, f"{database(tmp_path)} is in use: stop the portal first.\n")
    assert accounts(database(tmp_path)) == 2
    assert sorted(path.name for path in tmp_path.glob("medonline.sqlite3-*")) == []


def test_a_damaged_database_is_replaced_with_its_log(run: Run, tmp_path: Path, kept: Path) -> None:
    database(tmp_path).write_bytes(b"this is no database" * 100)
    Path(f"{database(tmp_path)}-wal").write_bytes(b"of another database")

    code, _, err = run("restore", str(kept), "--yes")

    assert (code, err) == (0, "")
    assert accounts(database(tmp_path)) == 1
    assert beside(tmp_path)
    assert sorted(tmp_path.glob("medonline.sqlite3-*")) == beside(tmp_path)


def test_what_is_no_database_is_not_restored(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear patient, " * 100)

    code, _, err = run("restore", str(other), "--yes")

    assert (code, err) == (1, f"{other} cannot be copied: file is not a database.\n")
    assert accounts(database(tmp_path)) == 0
    assert beside(tmp_path) == []


def test_a_copy_of_a_newer_version_is_not_restored(run: Run, tmp_path: Path, kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    code, _, err = run("restore", str(kept), "--yes")

    assert code == 1
    assert err.startswith("The database is at revision 9999, which only a newer version of the portal knows")
    assert sorted(path.name for path in tmp_path.glob("medonline.sqlite3-*")) == []


def test_a_copy_of_another_key_is_not_restored(
    run: Run, tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDONLINE_SECRET_KEY", "another key than the one that the rows were made with")

    code, _, err = run("restore", str(kept), "--yes")

    assert code == 1
    assert err.startswith("The rows of this database were made with the key ")
    assert beside(tmp_path) == []


@pytest.mark.parametrize("command", [["backup", "copy"], ["restore", __file__]])
def test_postgresql_is_sent_to_its_own_programs(run: Run, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_DATABASE_URL", "postgresql+psycopg://medonline@127.0.0.1:1/medonline")

    code, out, err = run(*command)

    assert (code, out) == (1, "")
    assert err == "This is for SQLite. PostgreSQL has pg_dump and pg_restore: docs/install.md, «Backup».\n"


def documented(program: str, database: str, file: Path) -> list[str]:
    """A command as docs/install.md writes it, for another database and file."""
    (options,) = re.findall(rf"`(?:sudo -u medonline )?{program} (--[^`]*)`", INSTALL)
    words = [str(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))[-1])]
    for word in options.split():
        option, sign, value = word.rpartition("=")
        if value.endswith("medonline.dump"):
            value = str(file)
        elif value == "medonline":
            value = database.replace("+psycopg", "")
        words.append(f"{option}{sign}{value}")
    return words


@pytest.fixture
def two_databases(postgresql_server: str) -> Iterator[tuple[str, str]]:
    names = ("of_before", "of_after")
    for name in names:
        asyncio.run(administer(postgresql_server, f"CREATE DATABASE {name}"))
    yield address_of(postgresql_server, names[0]), address_of(postgresql_server, names[1])
    for name in names:
        asyncio.run(administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)"))


def test_what_the_documents_say_of_postgresql_brings_everything_back(
    run: Run, tmp_path: Path, two_databases: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = two_databases
    file = tmp_path / "medonline.dump"
    monkeypatch.setenv("MEDONLINE_DATABASE_URL", before)
    assert run(*ADD, *FIRST, stdin="Zima2026")[0] == 0
    known = run("journal", "verify")[1].splitlines()[1].removeprefix("It ends with ")
    subprocess.run(documented("pg_dump", before, file), check=True)
    assert run(*ADD, *SECOND, stdin="Zima2026")[0] == 0

    subprocess.run(documented("pg_restore", after, file), check=True)

    monkeypatch.setenv("MEDONLINE_DATABASE_URL", after)
    assert run("accounts", "list") == (0, "+7 900 ***-**-01  Орлова Анна\n", "")
    assert run("journal", "verify", "--known", known)[0] == 0
    assert run(*ADD, *SECOND, stdin="Zima2026")[0] == 0
