"""The events of the sandbox, in SQLite: events on demo phones, uCaller's calls, Telegram's messages.

Each method is one committed transaction, so nothing that was answered is lost with the process. Times are Unix seconds. Methods block for
as long as a small SQLite transaction takes: call them through `asyncio.to_thread`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

KEPT_FOR = 7 * 24 * 3600.0  # seconds
KEPT = 10_000  # rows of each table
FORGET_EVERY = 100  # inserted rows between two clean-ups
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, phone TEXT NOT NULL,
    kind TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_by_phone ON event (phone, id);
CREATE TABLE IF NOT EXISTS call (
    uid INTEGER PRIMARY KEY, unique_key TEXT UNIQUE, phone TEXT NOT NULL,
    code TEXT NOT NULL, client TEXT NOT NULL, placed_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS message (
    request_id TEXT PRIMARY KEY, phone TEXT NOT NULL, code TEXT, ttl INTEGER,
    payload TEXT NOT NULL, callback_url TEXT NOT NULL, sent_at REAL, revoked_at REAL,
    attempts INTEGER NOT NULL, verification TEXT, code_entered TEXT, entered_at REAL
);
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a demo phone received. `at` is ISO 8601 in UTC, `kind` is `call`, `telegram` or `sms`."""

    at: str
    kind: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A flash call that uCaller accepted."""

    uid: int
    unique_key: str | None
    phone: str
    code: str
    client: str
    placed_at: float


@dataclass(frozen=True, slots=True)
class Message:
    """A request to Telegram Gateway. Without a code it is a `checkSendAbility` that is paid for and not yet used."""

    request_id: str
    phone: str
    code: str | None
    ttl: int | None
    payload: str
    callback_url: str
    sent_at: float | None
    revoked_at: float | None = None
    attempts: int = 0
    verification: str | None = None
    code_entered: str | None = None
    entered_at: float | None = None


class Store:
    """One SQLite database. Several threads may use it and, if it is a file, several processes."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._since_forgotten = 0
        self._connection = sqlite3.connect(path or ":memory:", timeout=5, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        # This survives a killed process, though perhaps not a power cut. That is enough here.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        self.forget()

    def forget(self) -> None:
        """Drop rows older than `KEPT_FOR`, and all but the last `KEPT` rows of each table, because a demo may run for years."""
        with self.transaction() as sql:
            self._forget(sql)

    def _forget(self, sql: sqlite3.Connection) -> None:
        oldest = time.time() - KEPT_FOR
        as_text = datetime.fromtimestamp(oldest, UTC).isoformat(timespec="milliseconds")
        sql.execute("DELETE FROM event WHERE at < ? OR id <= (SELECT max(id) FROM event) - ?", (as_text, KEPT))
        sql.execute("DELETE FROM call WHERE placed_at < ? OR uid <= (SELECT max(uid) FROM call) - ?", (oldest, KEPT))
        # A checkSendAbility has no time of its own, so only its place in the table counts.
        sql.execute(
            "DELETE FROM message WHERE sent_at < ? OR rowid <= (SELECT max(rowid) FROM message) - ?", (oldest, KEPT)
        )

    def _made_one(self, sql: sqlite3.Connection) -> None:
        self._since_forgotten += 1
        if self._since_forgotten >= FORGET_EVERY:
            self._since_forgotten = 0
            self._forget(sql)

    def events(self, phone: str) -> list[Event]:
        """Everything that a phone received, oldest first."""
        with self.transaction() as sql:
            rows = sql.execute("SELECT at, kind, sender, text FROM event WHERE phone = ? ORDER BY id", (phone,))
            return [Event(**dict(row)) for row in rows]

    def add_event(self, phone: str, kind: str, sender: str, text: str) -> None:
        """Record a call or a message to a phone."""
        with self.transaction() as sql:
            self.insert_event(sql, phone, kind, sender, text)

    def place_call(
        self, phone: str, code: str, unique_key: str | None, client: str, event: Event | None
    ) -> tuple[Call, bool]:
        """Record a call and its event.

        A unique key that was seen before records nothing: the result is the first call, and True.
        """
        with self.transaction() as sql:
            if unique_key is not None:
                row = sql.execute("SELECT * FROM call WHERE unique_key = ?", (unique_key,)).fetchone()
                if row is not None:
                    return Call(**dict(row)), True
            placed_at = time.time()
            cursor = sql.execute(
                "INSERT INTO call (unique_key, phone, code, client, placed_at) VALUES (?, ?, ?, ?, ?)",
                (unique_key, phone, code, client, placed_at),
            )
            if event is not None:
                self.insert_event(sql, phone, event.kind, event.sender, event.text)
            self._made_one(sql)
            return Call(int(cursor.lastrowid or 0), unique_key, phone, code, client, placed_at), False

    def call(self, uid: int) -> Call | None:
        """One call, or None."""
        with self.transaction() as sql:
            row = sql.execute("SELECT * FROM call WHERE uid = ?", (uid,)).fetchone()
            return Call(**dict(row)) if row is not None else None

    def save_message(self, message: Message, event: Event | None = None) -> None:
        """Record a message in its present state, with its event."""
        values = tuple(getattr(message, name) for name in Message.__slots__)
        marks = ", ".join("?" * len(values))
        with self.transaction() as sql:
            sql.execute(f"INSERT OR REPLACE INTO message VALUES ({marks})", values)  # noqa: S608 - question marks
            if event is not None:
                self.insert_event(sql, message.phone, event.kind, event.sender, event.text)
            self._made_one(sql)

    def message(self, request_id: str) -> Message | None:
        """One message, or None."""
        with self.transaction() as sql:
            row = sql.execute("SELECT * FROM message WHERE request_id = ?", (request_id,)).fetchone()
            return Message(**dict(row)) if row is not None else None

    def count_messages(self) -> int:
        """How many requests were charged."""
        with self.transaction() as sql:
            return int(sql.execute("SELECT count(*) FROM message").fetchone()[0])

    def close(self) -> None:
        """Close the database. Using the store afterwards is an error."""
        with self._lock:
            self._connection.close()

    def insert_event(self, sql: sqlite3.Connection, phone: str, kind: str, sender: str, text: str) -> None:
        """Record an event within a transaction that is already open. It counts towards the next clean-up, no matter who records it."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        sql.execute(
            "INSERT INTO event (at, phone, kind, sender, text) VALUES (?, ?, ?, ?, ?)",
            (at, phone, kind, sender, text),
        )
        self._made_one(sql)

    def add_tables(self, schema: str) -> None:
        """Create the missing tables of a stand-in that keeps its own here. `schema`: statements, each ended by «;»."""
        with self.transaction() as sql:
            for statement in filter(str.strip, schema.split(";")):
                sql.execute(statement)

    @staticmethod
    def keep_newest(sql: sqlite3.Connection, table: str) -> None:
        """Delete all but the last `KEPT` rows of a stand-in's table: even rows that live half an hour are many when somebody floods it."""
        sql.execute(f"DELETE FROM {table} WHERE rowid <= (SELECT max(rowid) FROM {table}) - ?", (KEPT,))  # noqa: S608

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed at its end, for the stand-ins that keep their own tables in this database."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
