"""The database: transactions are plain functions, run whole in a database thread (docs/decisions/0018).

A transaction never waits for the event loop, so no lock is held while the loop does something else. SQLite has a few threads
that read and one that writes, so that writers queue in order. SQLite itself has no queue: its writers poll, and of sixteen
patients some polled in vain. PostgreSQL has as many threads as connections.

SQLite runs in WAL with synchronous=FULL, so that a committed reset survives a power cut. A writing transaction takes the write
lock at its start (BEGIN IMMEDIATE), because a lock that is upgraded half-way fails instead of waiting.

PostgreSQL locks rows, and two writers that want each other's rows end in a deadlock. So every writing transaction locks in this
order, and skips what it does not need:

1. the row that waits for its own browser: a person from Gosuslugi before consent or proof, a journey there;
2. the phone that a code goes to (`queries.codes.hold_phone`);
3. codes;
4. the day's money of a way (`queries.limits`);
5. the circuit breaker;
6. patients, several by their ids (`queries.patients.held`);
7. the rows of a patient: identities, tickets, sessions, recoveries, waiting changes, notices, cards. Anyone who locks more than
   one row of a kind, or writes to a row that names a patient, holds the patient;
8. the day's money of notices, which is separate from the money of codes;
9. the journal (`at_the_end`).

Danger: SQLite continues to write to a file that was moved away or replaced, and creates an empty file if there is none. Such
commits would be lost, so each session first checks that the file is still the one that its connection opened.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DisconnectionError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlmodel import Session

from medonline.metrics import names as metrics
from medonline.storage.announcements import send_with_commit
from medonline.storage.changes import Changes, digests
from medonline.storage.usable_texts import send_usable_texts
from medonline.traces.spans import span

P = ParamSpec("P")
T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000
# A queue may form behind a lock that another process holds, or behind a server that hangs, and it must end. This is longer than one writer
# waits for the file, and far shorter than a patient waits for an answer.
QUEUE_TIMEOUT_S = 10.0
SQLITE_READERS = 4
POSTGRESQL_CONNECTIONS = 10
# An idle writer blocks all others. PostgreSQL ends its session after this time, and a statement that waits for a lock fails after it.
LOCK_TIMEOUT = timedelta(seconds=5)
_IDLE = "-c idle_in_transaction_session_timeout=15s"
# Danger: a time that does not pass through `UtcDateTime` (a bare one in a `case`) is stored in the session's time zone.
_UTC = "-c timezone=UTC"
# A dead server must not block a thread for as long as the operating system waits (minutes). The connect timeout is in seconds, the timeout
# for the acknowledgement of sent data in milliseconds.
TIMEOUTS = {"connect_timeout": 5, "tcp_user_timeout": 20_000}
# The database is locked, full, read-only (PostgreSQL calls that an internal error), overloaded or gone: the statement is not at fault.
TROUBLES = (OperationalError, InterfaceError, InternalError, NoConnection)
# A write that changes nothing, to a row that no patient's transaction touches.
_TRIAL = text("UPDATE alembic_version SET version_num = version_num")
_TRIAL_WITHIN_S = 1.0
TRIAL_EVERY_S = 10.0
DISK_FULL = "disk full"
_LEAST_FREE = 4 * 1024 * 1024  # bytes: room for a few transactions of patients and the log of one checkpoint
_LAST = "medonline_last"
_CHANGED = "medonline_changed"
_AFTER = "medonline_after"


def at_the_end(session: Session, name: str, act: Callable[[Session], None]) -> None:
    """Call `act` just before the commit of this writing transaction. A second call with the same name replaces the first.

    Use it for work under a lock that every writer needs. The lock is taken last, so it is held for a short time, and its holder waits for
    no other lock. If `act` fails, the transaction rolls back.

    Raises:
        KeyError: the session only reads, so there is no commit.
    """
    session.info[_LAST][name] = act


def announce(session: Session, topic: str) -> None:
    """The transaction changes what this topic names. Listeners hear of it after the commit (`storage.changes`)."""
    session.info.setdefault(_CHANGED, set()).add(topic)


def after_commit(session: Session, act: Callable[[], None]) -> bool:
    """Call `act` on the event loop that awaits this `Database.write`, soon after its commit; never if it rolls back.

    It is not called if the process is killed in between. Returns False outside of a `Database.write`: then there is no loop to call it on.
    """
    acts = session.info.get(_AFTER)
    if acts is not None:
        acts.append(act)
    return acts is not None


class Database:
    """Transactions over one engine. They share nothing but the connection pool.

    names: see `Changes`.
    connections, lock_timeout: for PostgreSQL: the number of simultaneous transactions, and how long a statement waits for a lock.
    statement_timeout: for PostgreSQL: a statement that takes longer is cancelled and its transaction rolled back. None means no limit, for
    migrations and for an operator's commands.
    """

    def __init__(
        self,
        url: str,
        names: Callable[[str], Sequence[str]] = digests,
        *,
        connections: int | None = None,
        lock_timeout: timedelta | None = None,
        statement_timeout: timedelta | None = None,
    ) -> None:
        connections, lock_timeout = connections or POSTGRESQL_CONNECTIONS, lock_timeout or LOCK_TIMEOUT
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_size": SQLITE_READERS + 1, "max_overflow": 5}
        if not self.sqlite:
            timeouts = {name: limit for name, limit in TIMEOUTS.items() if name not in self.url.query}
            options = {
                "pool_size": connections,
                "max_overflow": 5,
                "pool_pre_ping": True,
                "connect_args": timeouts | {"options": f"{_patience(lock_timeout, statement_timeout)} {_UTC}"},
            }
        self.changes = Changes(names)
        self.process = secrets.token_hex(8)  # marks the announcements of this process
        self.commits = 0  # how many transactions this process has committed
        self.engine = create_engine(self.url, hide_parameters=True, **options)
        send_usable_texts(self.engine)
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            if self.url.database:
                _SameFile(Path(self.url.database)).watch(self.engine)
            self._readers = ThreadPoolExecutor(SQLITE_READERS, "database-reader")
            self._writers = ThreadPoolExecutor(1, "database-writer")
        else:
            self._readers = self._writers = ThreadPoolExecutor(connections, "database")
        self._closed = False
        self.write_fault = ""  # why the last write was not committed, in a few English words; empty when it was
        self._written_at = -TRIAL_EVERY_S  # monotonic: the time of the last commit
        self._trial: asyncio.Task[None] | None = None

    async def read(self, ask: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `ask(session, ...)` in one transaction in a database thread and return its answer. Its changes are rolled back.

        Raises:
            OperationalError: the database is closed or does not answer, or no thread was free within `QUEUE_TIMEOUT_S`.
        """

        def work() -> T:
            with self.reading() as session:
                return ask(session, *args, **kwargs)

        return await self._in_a_thread(self._readers, work, "read", _name_of(ask))

    async def write(self, act: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `act(session, ...)`, commit, and return its result. An error that leaves it rolls everything back.

        Cancelling the caller does not stop a transaction that has begun: it still commits.

        Raises:
            OperationalError: as for `read`, or the database is locked for longer than `BUSY_TIMEOUT_MS`.
        """
        loop = asyncio.get_running_loop()

        def work() -> T:
            try:
                with self.writing() as session:
                    session.info[_AFTER] = []
                    answer = act(session, *args, **kwargs)
            except TROUBLES as error:
                self.write_fault = DISK_FULL if is_disk_full(error) else "takes no writes"
                raise
            self.write_fault, self._written_at = "", time.monotonic()
            changed, acts = session.info.pop(_CHANGED, ()), session.info.pop(_AFTER, ())
            if changed or acts:
                loop.call_soon_threadsafe(self._follow, changed, acts)  # here: a cancelled caller tells no one
            return answer

        return await self._in_a_thread(self._writers, work, "write", _name_of(act))

    def _follow(self, changed: Iterable[str], acts: Iterable[Callable[[], None]]) -> None:
        self.changes.tell(changed)
        for act in acts:
            act()

    async def aside(self, act: Callable[[], T]) -> T:
        """Run a plain function in a thread of the readers, without a transaction."""
        return await self._in_a_thread(self._readers, act, "aside", _name_of(act))

    async def tell(self, topic: str) -> None:
        """Announce a change that no row shows, in this process and in the others.

        Raises:
            OperationalError: PostgreSQL did not take the announcement. This process has heard it all the same.
        """
        self.changes.tell([topic])
        if not self.sqlite:
            await self.write(lambda session: send_with_commit(session, self.process, self.changes.names(topic)))

    async def _in_a_thread(self, threads: ThreadPoolExecutor, work: Callable[[], T], kind: str, name: str) -> T:
        with span(f"{kind} {name}", medonline__transaction=name):
            return await self._run(threads, work, kind)

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], T], kind: str) -> T:
        if self._closed:
            raise _closed()
        asked_at = time.monotonic()

        def in_time() -> T:
            waited = time.monotonic() - asked_at
            metrics.TRANSACTION_WAIT.observe(waited, kind)
            try:
                if waited > QUEUE_TIMEOUT_S:
                    raise OperationalError("BEGIN", None, TimeoutError("the database is locked: no turn came"))
                with metrics.TRANSACTION.timed(kind):
                    return _without_stop_iteration(work)
            except TROUBLES:
                metrics.DATABASE_TROUBLES.add(kind)
                raise

        running = threads.submit(copy_context().run, in_time)
        metrics.TRANSACTIONS_IN_HAND.change(+1)
        running.add_done_callback(lambda _done: metrics.TRANSACTIONS_IN_HAND.change(-1))
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and running.cancelled() and not (task and task.cancelling()):
                # The transaction was still queued when the database closed. Its caller is alive and must learn of it.
                raise _closed() from None
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries, in the thread of the caller. It blocks: for tests and tools, never on an event loop."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end of the block, in the thread of the caller. It blocks like `reading`.

        Raises:
            OperationalError: the database is locked for longer than `BUSY_TIMEOUT_MS`.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"medonline_writes": True})
            session.info[_LAST] = {}
            try:
                yield session
                for act in session.info.pop(_LAST).values():
                    act(session)
                if not self.sqlite and (changed := session.info.get(_CHANGED)):
                    send_with_commit(session, self.process, chain.from_iterable(map(self.changes.names, changed)))
            except BaseException:
                session.rollback()
                raise
            session.commit()
            self.commits += 1

    async def is_alive(self) -> bool:
        """Whether the database answers a query. Raises the driver's error when it does not."""
        return await self.read(lambda session: session.connection().execute(text("SELECT 1")).scalar_one() == 1)

    async def takes_writes(self) -> bool:
        """Whether the last write was committed; `write_fault` says why not.

        When the last write is some seconds old or was refused, this method makes a trial write. It must: no one sends patients to a portal
        that is not ready, so without patients nothing else would find out. Only one trial runs at a time, and nobody waits longer than a
        second for it, because it may be queued behind a lock.
        """
        if not self.write_fault and time.monotonic() - self._written_at < TRIAL_EVERY_S:
            return True
        if self._trial is None:
            self._trial = asyncio.create_task(self._try_to_write())
        await asyncio.wait({self._trial}, timeout=_TRIAL_WITHIN_S)
        if self._trial is not None and self._trial.done():
            self._trial = None
        return not self.write_fault

    async def _try_to_write(self) -> None:
        # SQLite overwrites its log before the log grows, so a trial would still fit where no patient's transaction does.
        if self.sqlite and self.url.database and await asyncio.to_thread(_is_full, Path(self.url.database).parent):
            self.write_fault = DISK_FULL
            return
        try:
            await self.write(lambda session: session.connection().execute(_TRIAL))
        except TROUBLES:
            return  # `write` has recorded the fault

    async def close(self) -> None:
        """Wait for the transactions that have begun, then close the pool. Queued ones are refused."""
        self._closed = True
        for threads in {self._readers, self._writers}:
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)
        self.engine.dispose()


def _patience(lock_timeout: timedelta, statement_timeout: timedelta | None) -> str:
    # 0 means never. It is set explicitly, because the role or the server may have a timeout of its own that would cut migrations.
    cut_after = (statement_timeout or timedelta(0)) // timedelta(milliseconds=1)
    return f"-c lock_timeout={lock_timeout // timedelta(milliseconds=1)}ms -c statement_timeout={cut_after}ms {_IDLE}"


def is_disk_full(error: BaseException) -> bool:
    """Whether the database reports that its disk or its quota is full."""
    cause = getattr(error, "orig", None)
    if getattr(cause, "sqlstate", None) == "53100":
        return True
    return (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_FULL


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False  # the folder is gone: the trial write reports that
    return found.f_bavail * found.f_frsize < _LEAST_FREE


def patience(session: Session) -> str:
    """The timeouts that PostgreSQL applies to this connection, in English. Empty for SQLite."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return ""
    said = {
        "a statement": "statement_timeout",
        "a wait for a lock": "lock_timeout",
        "an idle transaction": "idle_in_transaction_session_timeout",
    }
    values = {what: connection.execute(text(f"SHOW {name}")).scalar_one() for what, name in said.items()}
    return ", ".join(f"{what} ends after {value}" for what, value in values.items() if value != "0")


def clock_ahead(session: Session) -> timedelta:
    """How far the clock of the database's machine is ahead of this machine's. Zero for SQLite, which runs on this machine."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return timedelta(0)
    told: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return told - datetime.now(UTC)


def _name_of(work: Callable[..., object]) -> str:
    """The name of a function in the code."""
    return getattr(work, "__qualname__", type(work).__name__).replace(".<locals>", "")


def _closed() -> OperationalError:
    return OperationalError("BEGIN", None, ConnectionError("the database is closed"))


def _without_stop_iteration(work: Callable[[], T]) -> T:
    """Danger: a future of asyncio does not accept a StopIteration, and whoever awaits it would wait for ever."""
    try:
        return work()
    except StopIteration as error:
        msg = "a transaction raised StopIteration"
        raise RuntimeError(msg) from error


class HasDatabase(Protocol):
    """A service whose methods may be transactions."""

    @property
    def database(self) -> Database: ...


S = TypeVar("S", bound=HasDatabase)


def reads(ask: Callable[Concatenate[S, Session, P], T]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Turn a plain method that takes a session into a coroutine method that runs in one `Database.read`.

    The caller awaits it and passes no session. A plain method cannot await, so nothing else happens within the transaction.
    """

    @wraps(ask)
    async def in_one_transaction(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        def work(session: Session) -> T:
            return ask(self, session, *args, **kwargs)

        work.__qualname__ = ask.__qualname__  # for the trace
        return await self.database.read(work)

    return in_one_transaction


def writes(act: Callable[Concatenate[S, Session, P], T]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Like `reads`, in one `Database.write`: committed when the method returns, rolled back when it raises."""

    @wraps(act)
    async def in_one_transaction(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        def work(session: Session) -> T:
            return act(self, session, *args, **kwargs)

        work.__qualname__ = act.__qualname__  # for the trace
        return await self.database.write(work)

    return in_one_transaction


class _SameFile:
    """Discards connections to a file that is no longer the database's file. Creates the file at the first connection only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._opened = False

    def watch(self, engine: Engine) -> None:
        """Attach to the events of the engine's pool."""
        event.listen(engine, "do_connect", self._before_connect)
        event.listen(engine, "connect", self._after_connect)
        event.listen(engine, "checkout", self._before_use)

    def _before_connect(self, *_facts: Any) -> None:
        if self._opened and self._file() is None:
            raise sqlite3.OperationalError("the database file is gone")

    def _after_connect(self, _connection: Any, record: Any) -> None:
        self._opened = True
        record.info["file"] = self._file()

    def _before_use(self, _connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.get("file") != self._file():
            raise DisconnectionError("the database file is gone or another one")  # the pool connects again

    def _file(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin only in `_begin_sqlite`
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
