"""What another process changes is heard here: on PostgreSQL, and on the file that a command writes beside the server."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from medonline.bootstrap import DEMO_ACCOUNTS, Portal, build_portal
from medonline.bootstrap.demo_accounts import seed_demo
from medonline.domain.errors import PhoneTaken
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.accounts import NewAccount
from medonline.storage import other_processes
from medonline.storage.announcements import MAX_PAYLOAD, _payloads, names_from_others
from medonline.storage.changes import Ear
from medonline.storage.engine import announce
from medonline.storage.other_processes import OtherProcesses
from medonline.storage.queries import retention
from medonline.storage.tables.patients import Patient
from tests.patience import PATIENCE
from tests.services.world import ANNA, BORIS, CALL, KNOWN, MovableClock, config_in, copy_database, sign_in, statements
from tests.storage.postgresql_server import address_of, administer

LONG, AT_ONCE = timedelta(seconds=PATIENCE), timedelta()
NAMES = itertools.count()


@dataclass(frozen=True)
class Two:
    """Two processes over one database."""

    here: Portal
    there: Portal
    clock: MovableClock

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """The first process listens; what happened before is known."""
        ear = self.here.database.changes.listen("the listener is there")
        task = asyncio.create_task(OtherProcesses(self.here.database, self.clock).run())
        try:
            assert await ear.wait(LONG)  # who begins to listen tells all who wait to look
            ear.close()
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> tuple[str, str] | None:
    """PostgreSQL and its template; None for SQLite."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("postgresql_server"), request.getfixturevalue("postgresql_template")


@pytest.fixture
async def two(
    server: tuple[str, str] | None, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Two]:
    monkeypatch.setattr(other_processes, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(other_processes, "TRY_AGAIN_S", 0.01)
    clock = MovableClock()
    clock.move(days=1)  # after the demo patients were made
    if server is None:
        copy_database(template, tmp_path)
        settings = {}
    else:
        name = f"of_two_{next(NAMES)}"
        await administer(server[0], f"CREATE DATABASE {name} TEMPLATE {server[1]}")
        settings = {"database_url": address_of(server[0], name)}
    here, there = (build_portal(config_in(tmp_path, **settings), clock) for _ in range(2))
    yield Two(here, there, clock)
    await here.close()
    await there.close()
    if server is not None:
        await administer(server[0], f"DROP DATABASE {name} WITH (FORCE)")


# SQLite carries no topics.
on_postgresql = pytest.mark.parametrize("server", ["postgresql"], indirect=True)


async def test_what_the_other_process_announces_is_heard(two: Two) -> None:
    async with two.listening():
        ear = two.here.database.changes.listen("codes to somebody")
        await two.there.database.write(lambda session: (announce(session, "codes to somebody"), _touch(session)))

        assert await ear.wait(LONG)


@on_postgresql
async def test_only_the_topic_is_heard_and_no_topic_is_readable(two: Two) -> None:
    async with two.listening(), _heard(two) as payloads:
        here, other = (two.here.database.changes.listen(topic) for topic in ("codes to +79000001001", "another"))
        await two.there.database.write(lambda session: announce(session, here.topic))

        assert await here.wait(LONG)
        assert not await other.wait(AT_ONCE)
        payload = await payloads.get()
        assert "9000001001" not in payload
        assert names_from_others(payload, "another") == [two.here.database.changes.name(here.topic)]


@on_postgresql
async def test_what_was_rolled_back_there_is_not_heard(two: Two) -> None:

    def fails(session: Session) -> None:
        announce(session, "here")
        raise ZeroDivisionError

    async with two.listening():
        here, after = (two.here.database.changes.listen(topic) for topic in ("here", "after"))
        with pytest.raises(ZeroDivisionError):
            await two.there.database.write(fails)
        await two.there.database.write(lambda session: announce(session, "after"))

        assert await after.wait(LONG)
        assert not await here.wait(AT_ONCE)


@on_postgresql
async def test_a_process_hears_of_its_own_change_once(two: Two) -> None:
    async with two.listening():
        ear, after = (two.here.database.changes.listen(topic) for topic in ("here", "after"))
        await two.here.database.write(lambda session: announce(session, "here"))
        assert await ear.wait(AT_ONCE)
        ear.forget()
        await two.there.database.write(lambda session: announce(session, "after"))

        assert await after.wait(LONG)  # what was sent before it has arrived
        assert not await ear.wait(AT_ONCE)


async def test_a_session_that_ends_there_ends_its_sockets_here(two: Two) -> None:
    annas, boris = token_hash(await sign_in(two.here, ANNA)), token_hash(await sign_in(two.here, BORIS))
    async with two.listening():
        over, open_still = _follower(two, annas), _follower(two, boris)
        await two.there.sessions.end_others(boris)

        assert await over.wait(LONG)
        assert not open_still.has_heard


@on_postgresql
async def test_sessions_that_ended_while_nothing_was_heard_are_told_of(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is cut, and comes back only when the session is over."""
    annas, boris = token_hash(await sign_in(two.here, ANNA)), token_hash(await sign_in(two.here, BORIS))
    may_connect = asyncio.Event()
    connect = other_processes.psycopg.AsyncConnection.connect

    async def later(*arguments: object, **more: object) -> object:
        await may_connect.wait()
        return await connect(*arguments, **more)

    async with two.listening():
        over, open_still = _follower(two, annas), _follower(two, boris)
        waiting = two.here.database.changes.listen("codes to somebody")
        monkeypatch.setattr(other_processes.psycopg.AsyncConnection, "connect", later)
        await administer(
            str(two.here.database.url),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'medonline changes'",
        )
        await two.there.sessions.end_others(boris)
        assert not over.has_heard
        may_connect.set()

        assert await over.wait(LONG)
        assert await waiting.wait(LONG)  # it may have missed something, too
        assert not open_still.has_heard


@on_postgresql
async def test_a_name_that_no_browser_bears_any_more_is_told_to_the_other_process(two: Two) -> None:
    async with two.listening():
        heard = asyncio.Event()
        two.here.visitors.when_renamed(ANNA.visitor_key, heard.set)
        await two.there.visitors.close_pages(ANNA.visitor_key)

        async with asyncio.timeout(PATIENCE):
            await heard.wait()


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
async def test_listening_takes_no_lock_of_the_database_away(two: Two) -> None:
    """A process that opens and closes a file of SQLite loses the locks that SQLite holds on it, and another program then takes the file
    for unused, under the one that uses it. Asked from outside: the lock on the shared memory (walformat.html, byte 128)."""
    await two.here.database.is_alive()
    async with two.listening():
        await two.there.database.write(_touch)
        await asyncio.sleep(0.1)  # ten looks; no fact to wait for
        take = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)"
        index = f"{two.here.database.url.database}-shm"
        taking = await asyncio.create_subprocess_exec(sys.executable, "-c", take, index, stderr=asyncio.subprocess.PIPE)
        _, said = await taking.communicate()

        assert b"Resource temporarily unavailable" in said


async def test_where_nothing_is_written_nothing_is_asked(two: Two) -> None:
    await two.here.database.is_alive()  # opens the files
    async with two.listening():
        with statements(two.here) as seen:
            await asyncio.sleep(0.1)  # ten looks at the file; no fact to wait for

        assert seen == []


# --- processes that start, and work that one of them does -----------------------------------------------------------


async def test_four_that_start_at_once_on_an_empty_database_are_all_there(
    server: tuple[str, str] | None, tmp_path: Path
) -> None:
    settings = {}
    if server is not None:
        name = f"of_two_{next(NAMES)}"
        await administer(server[0], f"CREATE DATABASE {name}")
        settings = {"database_url": address_of(server[0], name)}
    clock = MovableClock()
    portals = [build_portal(config_in(tmp_path, **settings), clock) for _ in range(2)]
    url = portals[0].config.database
    # Alembic knows one migration at a time in a process. Migrating takes longer here than the portal's statements wait for a lock.
    program = (
        "import asyncio, sys; from medonline.storage import engine, migrations; "
        "engine.LOCK_TIMEOUT = engine.timedelta(milliseconds=20); "
        "asyncio.run(migrations.upgrade(sys.argv[1]))"
    )
    migrating = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, url) for _ in range(4)]
    assert [await one.wait() for one in migrating] == [0, 0, 0, 0]
    await asyncio.gather(*(seed_demo(one.accounts) for one in portals))

    assert len(await portals[0].accounts.everyone()) == len(DEMO_ACCOUNTS)
    for one in portals:
        await one.close()
    if server is not None:
        await administer(server[0], f"DROP DATABASE {name} WITH (FORCE)")


async def test_an_account_that_two_make_at_once_is_one_account(two: Two) -> None:
    account = NewAccount("+79000003001", "KorablLipa47", "Белов", "Илья")
    made = await asyncio.gather(two.here.accounts.add(account), two.there.accounts.add(account), return_exceptions=True)

    assert {type(one) for one in made} == {Patient, PhoneTaken}


@on_postgresql
async def test_one_process_forgets_at_a_time(two: Two) -> None:
    await two.here.recovery.begin(ANNA, KNOWN, CALL)
    two.clock.move(days=32)
    with two.there.database.writing() as session:
        assert retention.is_ours(session)
        assert await two.here.retention.forget() == {}

    assert await two.here.retention.forget() == {"one_time_code": 1, "password_recovery": 1}


@pytest.mark.parametrize("count", [0, 1, 200, 1000])
def test_many_names_travel_in_payloads_that_postgresql_takes(count: int) -> None:
    names = [f"{number:064x}" for number in range(count)]
    payloads = list(_payloads("a" * 16, names))

    assert all(len(payload) <= MAX_PAYLOAD for payload in payloads)
    assert [name for payload in payloads for name in names_from_others(payload, "b" * 16)] == names
    assert all(names_from_others(payload, "a" * 16) == [] for payload in payloads)


def _touch(session: Session) -> None:
    """A write that SQLite sees: one that changes nothing is none."""
    session.connection().execute(text("UPDATE patient SET last_name = last_name || 'а'"))


def _follower(two: Two, session_key: str) -> Ear:
    return two.here.sessions.when_over(session_key, lambda: None)


@asynccontextmanager
async def _heard(two: Two) -> AsyncIterator[asyncio.Queue[str]]:
    """What PostgreSQL carries, as another client reads it."""
    payloads: asyncio.Queue[str] = asyncio.Queue()
    address = OtherProcesses(two.here.database, two.clock)._address()
    async with await other_processes.psycopg.AsyncConnection.connect(**address, autocommit=True) as connection:
        await connection.execute(f"LISTEN {other_processes.CHANNEL}")

        async def read() -> None:
            async for heard in connection.notifies():
                await payloads.put(heard.payload)

        reading = asyncio.create_task(read())
        yield payloads
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
