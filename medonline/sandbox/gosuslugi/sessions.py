"""The people who are signed in at the stand-in, the data they agreed to share, and sign-ins offered as a QR code.

A session lives 30 minutes, a QR code 2 minutes. Methods block for one small transaction: call them through `asyncio.to_thread`.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medonline.sandbox.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gosuslugi_session (
    secret TEXT PRIMARY KEY, sid TEXT NOT NULL, oid INTEGER NOT NULL, amr TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS gosuslugi_grant (
    client_id TEXT NOT NULL, oid INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (client_id, oid, data)
);
CREATE TABLE IF NOT EXISTS gosuslugi_qr (
    id TEXT PRIMARY KEY, journey TEXT NOT NULL, at REAL NOT NULL, oid INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS gosuslugi_qr_by_journey ON gosuslugi_qr (journey, at);
"""
SESSION_LIVES = 30 * 60  # seconds
_QR_LIVES = 2 * 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in at the stand-in. `at` is the Unix time of the sign-in, `amr` is PWD or DS."""

    sid: str
    oid: int
    amr: str
    at: float


@dataclass(frozen=True, slots=True)
class QrRequest:
    """A sign-in that waits for a phone. `oid` is the person who approved it, 0 before that."""

    id: str
    journey: str
    oid: int


class Sessions:
    """The tables of sessions, consents and QR codes."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        store.add_tables(_SCHEMA)

    def open(self, oid: int, amr: str) -> tuple[str, Session]:
        """Sign a person in. Returns the secret for the cookie, and the session."""
        secret, sid, now = secrets.token_urlsafe(32), str(uuid.uuid4()), self._clock()
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM gosuslugi_session WHERE at < ?", (now - SESSION_LIVES,))
            sql.execute("INSERT INTO gosuslugi_session VALUES (?, ?, ?, ?, ?)", (_key(secret), sid, oid, amr, now))
            self._store.keep_newest(sql, "gosuslugi_session")
        return secret, Session(sid, oid, amr, now)

    def find(self, secret: str) -> Session | None:
        """The session of a cookie."""
        with self._store.transaction() as sql:
            row = sql.execute(
                "SELECT sid, oid, amr, at FROM gosuslugi_session WHERE secret = ? AND at > ?",
                (_key(secret), self._clock() - SESSION_LIVES),
            ).fetchone()
            return Session(**dict(row)) if row is not None else None

    def close(self, secret: str) -> None:
        """Sign out."""
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM gosuslugi_session WHERE secret = ?", (_key(secret),))

    def close_by_id(self, sid: str) -> None:
        """Sign out the person whom a token of the client names: a post from another site carries no cookie."""
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM gosuslugi_session WHERE sid = ?", (sid,))

    def grant(self, client_id: str, oid: int, data: Iterable[str]) -> None:
        """Remember the data that a person agreed to share."""
        with self._store.transaction() as sql:
            rows = [(client_id, oid, name) for name in data]
            sql.executemany("INSERT OR IGNORE INTO gosuslugi_grant VALUES (?, ?, ?)", rows)

    def has_granted(self, client_id: str, oid: int, data: frozenset[str]) -> bool:
        """Whether the person has agreed to share all of this data before."""
        with self._store.transaction() as sql:
            rows = sql.execute("SELECT data FROM gosuslugi_grant WHERE client_id = ? AND oid = ?", (client_id, oid))
            return data <= {row["data"] for row in rows}

    def offer_qr(self, journey: str) -> QrRequest:
        """A QR code for a journey: the one that is still valid, or a new one."""
        now = self._clock()
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM gosuslugi_qr WHERE at < ?", (now - 10 * _QR_LIVES,))
            row = sql.execute(
                "SELECT id, journey, oid FROM gosuslugi_qr WHERE journey = ? AND at > ? ORDER BY at DESC LIMIT 1",
                (journey, now - _QR_LIVES),
            ).fetchone()
            if row is not None:
                return QrRequest(**dict(row))
            qr = QrRequest(secrets.token_urlsafe(16), journey, 0)
            sql.execute("INSERT INTO gosuslugi_qr (id, journey, at) VALUES (?, ?, ?)", (qr.id, journey, now))
            self._store.keep_newest(sql, "gosuslugi_qr")
            return qr

    def qr(self, qr_id: str) -> QrRequest | None:
        """A QR code that is still valid."""
        with self._store.transaction() as sql:
            row = sql.execute(
                "SELECT id, journey, oid FROM gosuslugi_qr WHERE id = ? AND at > ?",
                (qr_id, self._clock() - _QR_LIVES),
            ).fetchone()
            return QrRequest(**dict(row)) if row is not None else None

    def approve_qr(self, qr_id: str, oid: int) -> bool:
        """Let the person who holds the phone in. False if the code is too old or somebody else was faster."""
        with self._store.transaction() as sql:
            cursor = sql.execute(
                "UPDATE gosuslugi_qr SET oid = ? WHERE id = ? AND at > ? AND oid IN (0, ?)",
                (oid, qr_id, self._clock() - _QR_LIVES, oid),
            )
            return cursor.rowcount == 1

    def approved_qr(self, journey: str) -> int:
        """The person who approved the newest valid QR code of a journey, or 0."""
        with self._store.transaction() as sql:
            row = sql.execute(
                "SELECT oid FROM gosuslugi_qr WHERE journey = ? AND at > ? ORDER BY at DESC LIMIT 1",
                (journey, self._clock() - _QR_LIVES),
            ).fetchone()
            return int(row["oid"]) if row is not None else 0

    def pending_qr(self) -> list[str]:
        """Valid QR codes that no one has approved, newest first. A demo phone offers them."""
        with self._store.transaction() as sql:
            rows = sql.execute(
                "SELECT id FROM gosuslugi_qr WHERE oid = 0 AND at > ? ORDER BY at DESC", (self._clock() - _QR_LIVES,)
            )
            return [row["id"] for row in rows]


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
