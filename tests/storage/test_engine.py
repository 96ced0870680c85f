"""The engine: safe settings in force, writers wait at the door, errors leave nothing behind."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlmodel import Session, select

from medonline.bootstrap import Portal
from medonline.storage import engine
from medonline.storage.engine import Database, after_commit, reads, writes
from medonline.storage.tables.login import LoginTicket
from medonline.storage.tables.patients import Patient
from tests.patience import PATIENCE
from tests.services.world import statements
from tests.storage.unusable_texts import UNUSABLE, check_unusable_text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def patient(phone: str = "+79000003001", created_at: datetime = NOW) -> Patient:
    return Patient(phone=phone, last_name="Орлова", first_name="Анна", created_at=created_at)


def add(session: Session, phone: str, fault: Exception | None = None) -> Patient:
    session.add(made := patient(phone))
    session.flush()
    if fault is not None:
        raise fault
    return made


@dataclass
class Held:
    """A transaction of two inserts that waits between them until it is let go."""

    phones: tuple[str, str] = ("+79000003901", "+79000003902")
    begun: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def add(self, session: Session) -> None:
        add(session, self.phones[0])
        self.begun.set()
        if not self.let_go.wait(PATIENCE):
            raise TimeoutError
        add(session, self.phones[1])

    async def begun_in_a_thread(self) -> None:
        if not await asyncio.to_thread(self.begun.wait, PATIENCE):
            raise TimeoutError


@dataclass(frozen=True)
class Desk:
    """A service whose methods are transactions."""

    database: Database

    @reads
    def count(self, session: Session, *, more: int = 0) -> int:
        return len(session.exec(select(Patient)).all()) + more

    @writes
    def add(self, session: Session, phone: str, *, fault: Exception | None = None) -> Patient:
        return add(session, phone, fault)


def len_of_patients(session: Session) -> int:
    return len(session.exec(select(Patient)).all())


async def count(portal: Portal) -> int:
    with portal.database.reading() as session:
        return len_of_patients(session)


def backup_to(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5_000)]
)
async def test_every_connection_has_the_safe_settings(portal: Portal, pragma: str, value: object) -> None:
    def ask(session: Session) -> object:
        return session.connection().execute(text(f"PRAGMA {pragma}")).scalar_one()

    database = portal.database
    answers = await asyncio.gather(*(database.read(ask) for _ in range(5)), *(database.write(ask) for _ in range(2)))
    assert answers == [value] * 7


async def test_a_write_takes_the_lock_at_its_start_and_a_read_takes_none(portal: Portal) -> None:
    with statements(portal) as seen:
        with portal.database.writing() as session:
            session.exec(select(Patient))
        with portal.database.reading() as session:
            session.exec(select(Patient))

    assert [statement for statement in seen if statement.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


async def test_a_connection_that_wrote_reads_without_the_write_lock_afterwards(portal: Portal) -> None:
    for _ in range(3):
        with portal.database.writing() as session:
            session.add(patient(f"+7900000300{_}"))
    with portal.database.reading() as reading:
        reading.exec(select(Patient))
        async with asyncio.timeout(PATIENCE):  # would wait for ever on a write lock
            await portal.database.write(add, "+79000003009")

    assert await count(portal) == 7


async def test_concurrent_writers_wait_for_each_other_and_lose_nothing(portal: Portal) -> None:
    def add_one_more(session: Session, number: int) -> None:
        before = len(session.exec(select(Patient)).all())
        session.add(patient(f"+790000040{number:02d}"))
        session.flush()
        assert len(session.exec(select(Patient)).all()) == before + 1

    await asyncio.gather(*(portal.database.write(add_one_more, number) for number in range(40)))
    assert await count(portal) == 43


async def test_writers_queue_and_never_poll_the_file(
    portal: Portal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no patience for the file's lock at all, slow writers beside each other lose nothing."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 0)
    database = Database(portal.config.database)

    def add_slowly(session: Session, number: int) -> None:
        session.add(patient(f"+790000041{number:02d}"))
        session.flush()
        time.sleep(0.01)  # other threads work, in the middle of a transaction

    await asyncio.gather(*(database.write(add_slowly, number) for number in range(16)))
    await database.close()
    assert await count(portal) == 19


async def test_a_queue_of_writers_that_does_not_move_is_refused_like_a_lock(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def let_in(_session: Session) -> None:
        raise AssertionError("let in after its time was over")

    held = Held()
    first = asyncio.ensure_future(portal.database.write(held.add))
    await held.begun_in_a_thread()
    monkeypatch.setattr(engine, "QUEUE_TIMEOUT_S", 0.0)
    late = asyncio.ensure_future(portal.database.write(let_in))
    await asyncio.sleep(0)  # it has asked
    held.let_go.set()

    with pytest.raises(OperationalError, match="the database is locked: no turn came"):
        await late
    await first
    assert await count(portal) == 3 + len(held.phones)


async def test_writers_take_their_turns_as_they_asked_and_the_loop_goes_on_meanwhile(portal: Portal) -> None:
    turns: list[int] = []

    def take(_session: Session, number: int) -> None:
        turns.append(number)

    held = Held()
    first = asyncio.ensure_future(portal.database.write(held.add))
    await held.begun_in_a_thread()
    others = [asyncio.ensure_future(portal.database.write(take, number)) for number in range(8)]
    called = asyncio.Event()
    asyncio.get_running_loop().call_soon(called.set)
    async with asyncio.timeout(PATIENCE):
        await called.wait()
        read = await portal.database.read(lambda session: len(session.exec(select(Patient)).all()))
    assert (read, turns) == (3, [])

    held.let_go.set()
    await asyncio.gather(first, *others)
    assert turns == list(range(8))


async def test_what_a_transaction_returns_and_raises_comes_to_who_awaits_it(portal: Portal) -> None:
    desk = Desk(portal.database)
    made = await desk.add("+79000003001")
    assert (made.phone, await desk.count(), await desk.count(more=2)) == (
        "+79000003001",
        4,
        6,
    )  # readable after the commit

    with pytest.raises(KeyError, match="halfway"):
        await desk.add("+79000003002", fault=KeyError("halfway"))
    with pytest.raises(KeyError, match="halfway"):
        await portal.database.write(add, "+79000003003", KeyError("halfway"))
    assert await desk.count() == 4


async def test_what_a_read_changes_is_not_kept_and_holds_no_writer_up(portal: Portal) -> None:
    await portal.database.read(add, "+79000003001")

    assert await count(portal) == 3
    await portal.database.write(add, "+79000003001")
    assert await count(portal) == 4


async def test_a_transaction_is_plain_and_runs_outside_the_loops_thread(portal: Portal) -> None:
    def where(_session: Session) -> int:
        return threading.get_ident()

    threads = {await portal.database.read(where), await portal.database.write(where)}
    assert threading.get_ident() not in threads


async def test_what_the_logs_say_of_the_request_reaches_the_database_thread(portal: Portal) -> None:
    def seen(_session: Session) -> object:
        return structlog.contextvars.get_contextvars().get("request_id")

    async def request(number: int) -> tuple[object, object]:
        structlog.contextvars.bind_contextvars(request_id=number)
        return await portal.database.read(seen), await portal.database.write(seen)

    assert await asyncio.gather(*(request(number) for number in range(5))) == [(number, number) for number in range(5)]


async def test_an_error_rolls_the_whole_block_back(portal: Portal) -> None:
    async def write() -> None:
        with portal.database.writing() as session:
            session.add(patient())
            session.flush()
            raise KeyError("halfway")

    with pytest.raises(KeyError):
        await write()
    assert await count(portal) == 3


async def test_a_write_whose_caller_is_cancelled_halfway_commits_whole(portal: Portal) -> None:
    """Half of it would be the worst of the three: what it began, no one would end."""
    held = Held()
    task = asyncio.ensure_future(portal.database.write(held.add))
    await held.begun_in_a_thread()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    held.let_go.set()
    async with asyncio.timeout(PATIENCE):
        await portal.database.write(add, "+79000003009")

    assert await count(portal) == 3 + len(held.phones) + 1


async def test_a_cancelled_write_that_waits_for_its_turn_leaves_nothing_and_no_lock(portal: Portal) -> None:
    held = Held()
    first = asyncio.ensure_future(portal.database.write(held.add))
    await held.begun_in_a_thread()
    task = asyncio.ensure_future(portal.database.write(add, "+79000003008"))
    await asyncio.sleep(0)  # it has asked
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    held.let_go.set()
    await first

    assert await count(portal) == 3 + len(held.phones)
    async with asyncio.timeout(PATIENCE):
        await portal.database.write(add, "+79000003009")
    assert await count(portal) == 3 + len(held.phones) + 1


async def test_what_waits_for_the_commit_follows_it_on_the_loop(portal: Portal) -> None:
    seen: list[tuple[int, bool]] = []

    def act(session: Session, phone: str, *, fails: bool) -> bool:
        add(session, phone)
        waits = after_commit(session, look)
        if fails:
            raise KeyError(phone)
        return waits

    def look() -> None:
        with portal.database.reading() as session:
            seen.append(
                (len(session.exec(select(Patient)).all()), threading.current_thread() is threading.main_thread())
            )

    with pytest.raises(KeyError):
        await portal.database.write(act, "+79000003008", fails=True)
    assert await portal.database.write(act, "+79000003009", fails=False)
    assert seen == [(4, True)]


async def test_nothing_can_follow_a_commit_that_no_loop_waits_for(portal: Portal) -> None:
    with portal.database.writing() as session:
        assert not after_commit(session, pytest.fail)
        add(session, "+79000003008")

    assert await count(portal) == 4


async def test_closing_waits_for_the_transaction_that_has_begun(portal: Portal) -> None:
    database = Database(portal.config.database)
    held = Held()
    writing = asyncio.ensure_future(database.write(held.add))
    await held.begun_in_a_thread()
    closing = asyncio.ensure_future(database.close())
    done, _ = await asyncio.wait([closing], timeout=0.05)
    assert not done
    held.let_go.set()
    await closing

    assert await count(portal) == 3 + len(held.phones)
    await writing


async def test_a_closed_database_says_so_and_so_it_does_to_who_waits_for_a_turn(portal: Portal) -> None:
    database = Database(portal.config.database)
    held = Held()
    writing = asyncio.ensure_future(database.write(held.add))
    await held.begun_in_a_thread()
    waiting = asyncio.ensure_future(database.write(add, "+79000003008"))
    await asyncio.sleep(0)  # it has asked
    closing = asyncio.ensure_future(database.close())
    with pytest.raises(OperationalError, match="the database is closed"):
        async with asyncio.timeout(PATIENCE):
            await waiting
    held.let_go.set()
    await asyncio.gather(closing, writing)

    for asked in (database.read(len_of_patients), database.write(add, "+79000003009"), database.is_alive()):
        with pytest.raises(OperationalError, match="the database is closed"):
            await asked
    assert await count(portal) == 3 + len(held.phones)


async def test_a_transaction_that_runs_out_of_an_iterator_is_an_error_and_no_wait_for_ever(portal: Portal) -> None:
    nothing: list[Patient] = []
    for ask in (portal.database.read, portal.database.write):
        with pytest.raises(RuntimeError, match="StopIteration"):
            async with asyncio.timeout(PATIENCE):
                await ask(lambda _session: next(iter(nothing)))


async def test_a_server_that_does_not_answer_keeps_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engine.TIMEOUTS, "connect_timeout", 2)  # the shortest that the driver knows
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        database = Database(f"postgresql+psycopg://medonline@127.0.0.1:{silent.getsockname()[1]}/medonline")
        with pytest.raises(OperationalError):
            async with asyncio.timeout(PATIENCE):
                await database.is_alive()
    await database.close()


async def test_what_a_reading_session_changes_is_not_kept(portal: Portal) -> None:
    with portal.database.reading() as session:
        session.add(patient())
        session.flush()

    assert await count(portal) == 3


async def test_a_reference_to_nobody_is_refused(portal: Portal) -> None:
    async def write() -> None:
        with portal.database.writing() as session:
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
    with portal.database.writing() as session:
        session.add(patient(created_at=datetime(2026, 3, 1, 15, tzinfo=moscow)))
    with portal.database.reading() as session:
        stored = session.exec(select(Patient).where(Patient.phone == "+79000003001")).one()

    assert stored.created_at == NOW
    assert stored.created_at.tzinfo is UTC


async def test_a_naive_time_never_reaches_the_database(portal: Portal) -> None:
    async def write() -> None:
        with portal.database.writing() as session:
            session.add(patient(created_at=datetime(2026, 3, 1)))  # noqa: DTZ001 (the naive value is the point)

    with pytest.raises(StatementError, match="naive"):
        await write()


async def test_a_live_database_says_so_and_a_broken_one_does_not(portal: Portal, folder: Path) -> None:
    assert await portal.database.is_alive()
    portal.database.engine.dispose()  # its connections let the file go
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
    with portal.database.writing() as session:
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


@pytest.mark.parametrize("sent", UNUSABLE, ids=ascii)
async def test_a_text_that_no_database_takes_names_nothing_and_is_kept_readable(portal: Portal, sent: str) -> None:
    await check_unusable_text(portal, sent)
