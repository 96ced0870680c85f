"""`medonline copy-database`: from SQLite to PostgreSQL, all of it or nothing; patients sign in as before."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from medonline.bootstrap import Portal, build_portal
from medonline.bootstrap.demo_accounts import seed_demo
from medonline.config.settings import load_config
from medonline.domain.errors import InvalidCredentials
from medonline.services.security_journal.verification import KEPT_AT_LEAST
from medonline.storage import copies, migrations
from medonline.storage.engine import Database
from medonline.storage.tables.patients import Patient
from tests.services.world import ANNA, BORIS, KNOWN, OTHER_KNOWN, PASSWORD, MovableClock, prove, sign_in
from tests.storage.postgresql_server import address_of, administer

Run = Callable[..., tuple[int, str, str]]
MANY = copies.BATCH * 2 + 7


@pytest.fixture
def target(postgresql_server: str) -> Iterator[str]:
    """An empty database."""
    asyncio.run(administer(postgresql_server, "CREATE DATABASE copied_to"))
    yield address_of(postgresql_server, "copied_to")
    asyncio.run(administer(postgresql_server, "DROP DATABASE copied_to WITH (FORCE)"))


async def _with(folder: Path, work: Callable[[Portal, MovableClock], Any], **settings: Any) -> Any:
    clock = MovableClock()
    portal = build_portal(load_config(mode="demo", data_dir=folder, **settings), clock)
    try:
        return await work(portal, clock)
    finally:
        await portal.close()


async def _use(portal: Portal, clock: MovableClock) -> None:
    """Patients, sessions, a recovery on its way, a journal whose oldest rows are past their time."""
    await seed_demo(portal.accounts)
    clock.move(days=1)
    await sign_in(portal, ANNA)
    clock.now += max(portal.config.retention_journal, KEPT_AT_LEAST) + timedelta(days=1)
    await sign_in(portal, ANNA)
    assert await portal.journal_keeper.forget()
    await prove(portal, BORIS, OTHER_KNOWN)
    await portal.database.write(_fill)


def _fill(session: Any) -> None:
    rows = [
        {"id": f"many-{number:06}", "name": f"Ё{number}\u200b", "at": "2026-01-01 00:00:00.000001"}
        for number in range(MANY)
    ]
    session.connection().execute(
        text(
            "INSERT INTO patient (id, phone, email, last_name, first_name, patronymic, snils_sealed, oms_policy_sealed, "
            "created_at) VALUES (:id, NULL, '', :name, 'Анна', '', '', '', :at)"
        ),
        rows,
    )


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """The folder of a portal that was in use."""
    asyncio.run(_with(tmp_path, _use))
    return tmp_path


def rows_at(url: str, table: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        count = int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
    engine.dispose()
    return count


def tables_at(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar_one()
    engine.dispose()
    return int(count)


def test_everything_goes_over_and_patients_sign_in_as_before(run: Run, used: Path, target: str) -> None:
    code, out, err = run("copy-database", "--to", target)
    assert (code, err) == (0, "")
    assert "Copied and compared: " in out
    assert "The journal of the copy is whole: " in out

    with closing(sqlite3.connect(used / "medonline.sqlite3")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            (count,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
            assert rows_at(target, name) == count, name
    assert rows_at(target, "patient") > MANY
    assert rows_at(target, "security_journal_checkpoint") == 1

    async def go_on(portal: Portal, clock: MovableClock) -> None:
        clock.move(days=1200)
        assert await sign_in(portal, ANNA, KNOWN, PASSWORD)
        with pytest.raises(InvalidCredentials):
            await portal.login.log_in(ANNA, KNOWN, "NotMyPassword1")
        found = await portal.journal_keeper.examine()
        assert found.fault == ""
        with portal.database.reading() as session:
            patient = session.get(Patient, "many-000007")
        assert patient is not None
        assert patient.last_name == "Ё7\u200b"

    asyncio.run(_with(used, go_on, database_url=target))


def test_the_triggers_of_the_journal_are_in_force_afterwards(run: Run, used: Path, target: str) -> None:
    assert run("copy-database", "--to", target)[0] == 0
    engine = create_engine(target)
    for statement in (
        "DELETE FROM security_journal",
        "DELETE FROM security_journal_checkpoint",
        "INSERT INTO security_journal_checkpoint SELECT seq + 1000, at, hash, key_id, seal FROM security_journal_checkpoint",
    ):
        with engine.connect() as connection, pytest.raises(Exception, match=r"append-only|stands for a row"):
            connection.execute(text(statement))
    engine.dispose()


def test_a_target_with_rows_or_tables_of_others_is_refused(run: Run, used: Path, target: str) -> None:
    assert run("copy-database", "--to", target)[0] == 0
    code, _, err = run("copy-database", "--to", target)
    assert (code, "The target is not empty: there are rows in" in err) == (1, True)


def test_a_target_that_is_somebody_elses_is_refused(run: Run, used: Path, target: str, postgresql_server: str) -> None:
    engine = create_engine(target)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (id int)"))
    engine.dispose()
    code, _, err = run("copy-database", "--to", target)
    assert (code, "it has a table theirs" in err) == (1, True)
    assert tables_at(target) == 1


def test_a_target_of_another_version_is_refused(run: Run, used: Path, target: str) -> None:
    asyncio.run(migrations.upgrade(target))
    engine = create_engine(target)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    engine.dispose()
    code, _, err = run("copy-database", "--to", target)
    assert (code, "The target is of another version." in err) == (1, True)


def test_nothing_is_left_of_a_copy_that_breaks_off(
    run: Run, used: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(table: str, rows: int) -> None:
        if table == "security_journal":
            raise KeyboardInterrupt

    asyncio.run(migrations.upgrade(target))
    databases = Database(f"sqlite:///{used / 'medonline.sqlite3'}"), Database(target)
    with pytest.raises(KeyboardInterrupt):
        copies.copy_rows(*databases, break_off)
    for database in databases:
        asyncio.run(database.close())
    assert rows_at(target, "patient") == 0
    assert run("copy-database", "--to", target)[0] == 0


def test_no_batch_is_larger_than_it_may_be(used: Path, target: str) -> None:
    told: list[tuple[str, int]] = []
    asyncio.run(migrations.upgrade(target))
    databases = Database(f"sqlite:///{used / 'medonline.sqlite3'}"), Database(target)
    copies.copy_rows(*databases, lambda table, rows: told.append((table, rows)))
    for database in databases:
        asyncio.run(database.close())
    patients = [rows for table, rows in told if table == "patient"]
    assert patients[:2] == [copies.BATCH, copies.BATCH * 2]
    assert patients[-1] > MANY


def test_what_arrives_changed_is_noticed_and_not_kept(
    run: Run, used: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(migrations.upgrade(target))
    engine = create_engine(target)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.first_name := upper(NEW.first_name); RETURN NEW; END $$"
            )
        )
        connection.execute(text("CREATE TRIGGER spoil BEFORE INSERT ON patient FOR EACH ROW EXECUTE FUNCTION spoil()"))
    engine.dispose()
    code, _, err = run("copy-database", "--to", target)
    assert (code, "What arrived in patient is not what was sent" in err) == (1, True)
    assert rows_at(target, "patient") == 0


def test_a_portal_that_runs_and_a_password_in_the_command_are_refused(run: Run, used: Path, target: str) -> None:
    with closing(sqlite3.connect(used / "medonline.sqlite3")) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT count(*) FROM patient").fetchone()
        code, _, err = run("copy-database", "--to", target)
    assert (code, "stop the portal first" in err) == (1, True)
    secret = target.replace("medonline@", "medonline:geheim@")
    code, out, err = run("copy-database", "--to", secret)
    assert (code, "--to-file" in err, "geheim" in out + err) == (2, True, False)
    code, out, err = run("copy-database", "--to", f"{target}?password=geheim")
    assert (code, "--to-file" in err, "geheim" in out + err) == (2, True, False)
    file = used / "address"
    file.write_text(secret + "\n")
    assert run("copy-database", "--to-file", str(file))[0] == 0


def test_a_broken_journal_is_not_copied(run: Run, used: Path, target: str) -> None:
    with closing(sqlite3.connect(used / "medonline.sqlite3")) as connection:
        connection.execute("DROP TRIGGER security_journal_never_changes")
        connection.execute("UPDATE security_journal SET network = 'changed'")
        connection.commit()
    code, _, err = run("copy-database", "--to", target)
    assert (code, "The security journal is broken, so nothing was copied." in err) == (1, True)
    assert rows_at(target, "patient") == 0


@pytest.mark.parametrize("address", ["sqlite:////tmp/x", "postgresql+psycopg2://h/d", "nonsense"])
def test_only_a_postgresql_is_a_target(run: Run, used: Path, address: str) -> None:
    code, _, err = run("copy-database", "--to", address)
    assert (code, "The target is a PostgreSQL" in err) == (1, True)
