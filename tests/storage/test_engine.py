"""The engine: safe settings in force, writers wait at the door, errors leave nothing behind."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.storage import engine
from medonline.storage.engine import Database
from medonline.storage.tables.login import LoginTicket
from medonline.storage.tables.patients import Patient
from tests.patience import PATIENCE
from tests.services.world import statements

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def patient(phone: str = "+79000003001", created_at: datetime = NOW) -> Patient:
    return Patient(phone=phone, last_name="Орлова", first_name="Анна", created_at=created_at)


async def count(portal: Portal) -> int:
    async with portal.database.reading() as session:
        return len((await session.exec(select(Patient))).all())


def backup_to(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5_000)]
)
async def test_every_connection_has_the_safe_settings(portal: Portal, pragma: str, value: object) -> None:
    async def read() -> object:
        async with portal.database.reading() as session:
            return (await (await session.connection()).execute(text(f"PRAGMA {pragma}"))).scalar_one()

    assert await asyncio.gather(*(read() for _ in range(5))) == [value] * 5


async def test_a_write_takes_the_lock_at_its_start_and_a_read_takes_none(portal: Portal) -> None:
    with statements(portal) as seen:
        async with portal.database.writing() as session:
            await session.exec(select(Patient))
        async with portal.database.reading() as session:
            await session.exec(select(Patient))

    assert [statement for statement in seen if statement.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


async def test_a_connection_that_wrote_reads_without_the_write_lock_afterwards(portal: Portal) -> None:
    for _ in range(3):
        async with portal.database.writing() as session:
            session.add(patient(f"+7900000300{_}"))
    async with portal.database.reading() as reading:
        await reading.exec(select(Patient))
        async with (
            asyncio.timeout(PATIENCE),
            portal.database.writing() as session,
        ):  # would wait for ever on a write lock
            session.add(patient("+79000003009"))

    assert await count(portal) == 7


async def test_concurrent_writers_wait_for_each_other_and_lose_nothing(portal: Portal) -> None:
    async def add(number: int) -> None:
        async with portal.database.writing() as session:
            before = len((await session.exec(select(Patient))).all())
            session.add(patient(f"+790000040{number:02d}"))
            await session.flush()
            assert len((await session.exec(select(Patient))).all()) == before + 1

    await asyncio.gather(*(add(number) for number in range(40)))
    assert await count(portal) == 43


async def test_writers_queue_and_never_poll_the_file(
    portal: Portal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no patience for the file's lock at all, slow writers beside each other lose nothing."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 0)
    database = Database(portal.config.database)

    async def add(number: int) -> None:
        async with database.writing() as session:
            session.add(patient(f"+790000041{number:02d}"))
            await session.flush()
            await asyncio.sleep(0.01)  # other work of the loop, in the middle of a transaction

    await asyncio.gather(*(add(number) for number in range(16)))
    await database.close()
    assert await count(portal) == 19


async def test_a_queue_of_writers_that_does_not_move_is_refused_like_a_lock(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "QUEUE_TIMEOUT_S", 0.05)

    async with portal.database.writing() as session:
        session.add(patient())
        await session.flush()
        with pytest.raises(OperationalError, match="database is locked"):
            async with portal.database.writing():
                raise AssertionError("let in beside another writer")

    assert await count(portal) == 4


async def test_an_error_rolls_the_whole_block_back(portal: Portal) -> None:
    async def write() -> None:
        async with portal.database.writing() as session:
            session.add(patient())
            await session.flush()
            raise KeyError("halfway")

    with pytest.raises(KeyError):
        await write()
    assert await count(portal) == 3


async def test_a_cancelled_write_leaves_nothing_and_no_lock(portal: Portal) -> None:
    written = asyncio.Event()

    async def write() -> None:
        async with portal.database.writing() as session:
            session.add(patient())
            await session.flush()
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await count(portal) == 3
    async with asyncio.timeout(PATIENCE), portal.database.writing() as session:
        session.add(patient())
    assert await count(portal) == 4


async def test_what_a_reading_session_changes_is_not_kept(portal: Portal) -> None:
    async with portal.database.reading() as session:
        session.add(patient())
        await session.flush()

    assert await count(portal) == 3


async def test_a_reference_to_nobody_is_refused(portal: Portal) -> None:
    async def write() -> None:
        async with portal.database.writing() as session:
            session.add(
                LoginTicket(
                    ticket_hash="x",
                    visitor_key="v",
                    patient_id="nobody",
                    method="password",
                    landing="cards",
                    expires_at=NOW,
                )
            )

    with pytest.raises(IntegrityError):
        await write()


async def test_times_come_back_aware_and_in_utc(portal: Portal) -> None:
    moscow = timezone(timedelta(hours=3))
    async with portal.database.writing() as session:
        session.add(patient(created_at=datetime(2026, 3, 1, 15, tzinfo=moscow)))
    async with portal.database.reading() as session:
        stored = (await session.exec(select(Patient).where(Patient.phone == "+79000003001"))).one()

    assert stored.created_at == NOW
    assert stored.created_at.tzinfo is UTC


async def test_a_naive_time_never_reaches_the_database(portal: Portal) -> None:
    async def write() -> None:
        async with portal.database.writing() as session:
            session.add(patient(created_at=datetime(2026, 3, 1)))  # noqa: DTZ001 (the naive value is the point)

    with pytest.raises(StatementError, match="naive"):
        await write()


async def test_a_live_database_says_so_and_a_broken_one_does_not(portal: Portal, folder: Path) -> None:
    assert await portal.database.is_alive()
    await portal.database.close()
    for name in ("medonline.sqlite3", "medonline.sqlite3-wal", "medonline.sqlite3-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "medonline.sqlite3").write_bytes(b"no database" * 1000)

    with pytest.raises(Exception, match="not a database"):
        await portal.database.is_alive()


async def test_what_is_committed_goes_into_the_file_that_stands_there(portal: Portal, folder: Path) -> None:
    """An operator puts a backup in place of the file while the portal serves: SQLite alone would write into the old one."""
    database = folder / "medonline.sqlite3"
    assert await count(portal) == 3
    backup_to(database, folder / "backup")
    for file in folder.glob("medonline.sqlite3*"):
        file.unlink()
    (folder / "backup").rename(database)
    async with portal.database.writing() as session:
        session.add(patient())

    assert await count(portal) == 4
    with closing(sqlite3.connect(database)) as other:
        assert other.execute("SELECT count(*) FROM patient").fetchone() == (4,)


async def test_where_the_file_is_gone_no_empty_one_is_made(portal: Portal, folder: Path) -> None:
    assert await count(portal) == 3
    (folder / "aside").mkdir()
    for file in folder.glob("medonline.sqlite3*"):
        file.rename(folder / "aside" / file.name)
    with pytest.raises(OperationalError, match="gone"):
        await count(portal)
    assert not (folder / "medonline.sqlite3").exists()
    for file in (folder / "aside").iterdir():
        file.rename(folder / file.name)

    assert await asyncio.gather(*(count(portal) for _ in range(5))) == [3] * 5
