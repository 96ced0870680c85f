"""The database: one async engine, reads and writes told apart.

SQLite runs in WAL with synchronous=FULL, so that a committed reset survives a power cut, and takes the write lock at the
start of a writing transaction (BEGIN IMMEDIATE): a lock that is upgraded half-way fails instead of waiting. Writers of one
process queue for it in their order: SQLite itself has no queue, writers poll, and of sixteen patients some polled in vain.

PostgreSQL locks rows, and two writers that want each other's rows end in a deadlock. So every writing transaction locks in one
order, and skips what it does not need:

1. the row that waits for its own browser: a person from Gosuslugi before consent or proof, a journey there;
2. the phone that a code goes to (`queries.codes.hold_phone`);
3. codes;
4. the day's money of a way (`queries.limits`);
5. the circuit breaker;
6. patients, several by their ids (`queries.patients.held`);
7. what belongs to a patient: identities, tickets, sessions, recoveries, waiting changes, notices, cards. Whoever locks more than
   one row of a kind, or writes to a row that names a patient, holds the patient;
8. the day's money of notices, which no code is paid with;
9. the journal (`at_the_end`).

Danger: SQLite goes on writing to a file that was moved away or replaced, and makes an empty one where there is none. What
is committed so would be lost, so each session first looks whether the file is still the one its connection opened.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

BUSY_TIMEOUT_MS = 5_000
# A queue behind a lock that another process holds must end: longer than one writer waits for the file, far shorter than a
# patient waits for an answer.
QUEUE_TIMEOUT_S = 10.0
# A writer that stands still holds everybody up who writes: PostgreSQL lets go of it, and who waits is told to try again.
_PATIENCE = {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "15s"}
_LAST = "medonline_last"


def at_the_end(session: AsyncSession, name: str, act: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Do `act` as the last thing before the commit of `Database.writing`, once for each name; its failure rolls back.

    For what takes a lock that everybody waits for: taken last, it is held shortly and no other lock is waited for under it.

    Raises:
        KeyError: the session is none of `Database.writing`, so that nothing would ever be done.
    """
    session.info[_LAST][name] = act


class Database:
    """Sessions over one engine. Nothing is shared between sessions but the connection pool."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self.sqlite else {"connect_args": {"server_settings": _PATIENCE}}
        self._writers = asyncio.Lock() if self.sqlite else None
        self.engine = create_async_engine(self.url, pool_pre_ping=not self.sqlite, hide_parameters=True, **options)
        if self.sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
            if self.url.database:
                _SameFile(Path(self.url.database)).watch(self.engine)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for questions; whatever it changes is rolled back."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block and rolls back when an error leaves it.

        Raises:
            OperationalError: the database is locked for longer than `BUSY_TIMEOUT_MS` or, by a queue of this process's own
                writers, `QUEUE_TIMEOUT_S`.
        """
        async with self._turn(), AsyncSession(self.engine, expire_on_commit=False) as session:
            await session.connection(execution_options={"medonline_writes": True})
            session.info[_LAST] = {}
            try:
                yield session
                for act in session.info.pop(_LAST).values():
                    await act(session)
            except BaseException:
                await session.rollback()
                raise
            await session.commit()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._writers is None:
            yield
            return
        try:
            async with asyncio.timeout(QUEUE_TIMEOUT_S):
                await self._writers.acquire()
        except TimeoutError:
            raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked")) from None
        try:
            yield
        finally:
            self._writers.release()

    async def is_alive(self) -> bool:
        """Whether a question is answered; raises what the driver raises when it is not."""
        async with self.reading() as session:
            return bool((await (await session.connection()).execute(text("SELECT 1"))).scalar_one() == 1)

    async def close(self) -> None:
        """Close the pool."""
        await self.engine.dispose()


class _SameFile:
    """Throws connections away whose file is not where the database is; makes the file at the first connection only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._opened = False

    def watch(self, engine: AsyncEngine) -> None:
        """Listen to the engine's pool."""
        event.listen(engine.sync_engine, "do_connect", self._before_connect)
        event.listen(engine.sync_engine, "connect", self._after_connect)
        event.listen(engine.sync_engine, "checkout", self._before_use)

    def _before_connect(self, *_facts: Any) -> None:
        if self._opened and self._file() is None:
            raise sqlite3.OperationalError("the database file is gone")

    def _after_connect(self, _connection: Any, record: Any) -> None:
        self._opened = True
        record.info["file"] = self._file()

    def _before_use(self, _connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.get("file") != self._file():
            raise DisconnectionError("the database file is gone or another one")  # the pool connects anew

    def _file(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("medonline_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
