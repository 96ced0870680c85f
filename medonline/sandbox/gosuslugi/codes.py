"""Authorisation codes and the tokens issued for them.

A code lives 240 s and works once. A second use also ends the tokens issued for it. Tokens are found by their SHA-256. Methods block for one
small transaction: call them through `asyncio.to_thread`.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from medonline.sandbox.gosuslugi.asked import Asked, Face
from medonline.sandbox.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gosuslugi_code (
    id TEXT PRIMARY KEY, asked TEXT NOT NULL, oid INTEGER NOT NULL, amr TEXT NOT NULL, sid TEXT NOT NULL,
    signed_in_at REAL NOT NULL, issued_at REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS gosuslugi_token (
    hash TEXT PRIMARY KEY, kind TEXT NOT NULL, code TEXT NOT NULL, expires_at REAL NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS gosuslugi_token_by_code ON gosuslugi_token (code);
"""
CODE_LIVES = 240  # seconds
Kind = Literal["access", "refresh"]


@dataclass(frozen=True, slots=True)
class Grant:
    """The meaning of a code or a token."""

    id: str
    asked: Asked
    oid: int
    amr: str
    sid: str
    signed_in_at: float


class Codes:
    """The tables of codes and tokens."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        store.add_tables(_SCHEMA)

    def issue(self, asked: Asked, oid: int, amr: str, sid: str, signed_in_at: float) -> Grant:
        """Issue a new code. Its id is what the code's JWT carries."""
        grant, now = Grant(secrets.token_urlsafe(24), asked, oid, amr, sid, signed_in_at), self._clock()
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM gosuslugi_token WHERE expires_at < ?", (now,))
            # A used code stays as long as a token of it lives, because its second use must end that token.
            sql.execute(
                "DELETE FROM gosuslugi_code WHERE issued_at < ? AND id NOT IN (SELECT code FROM gosuslugi_token)",
                (now - CODE_LIVES,),
            )
            sql.execute(
                "INSERT INTO gosuslugi_code (id, asked, oid, amr, sid, signed_in_at, issued_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (grant.id, asked.as_json(), oid, amr, sid, signed_in_at, now),
            )
            self._store.keep_newest(sql, "gosuslugi_code")
        return grant

    def look(self, code_id: str, face: Face) -> Grant | None:
        """A code that may still be exchanged at this face. For a used code: None, and its tokens stop working."""
        with self._store.transaction() as sql:
            return self._living(sql, code_id, face)

    def use(self, code_id: str, face: Face) -> bool:
        """Exchange the code, once. False if it is too old or was used, even by a parallel request a moment ago."""
        with self._store.transaction() as sql:
            if self._living(sql, code_id, face) is None:
                return False
            sql.execute("UPDATE gosuslugi_code SET used = 1 WHERE id = ?", (code_id,))
            return True

    def keep_token(self, token: str, kind: Kind, code_id: str, lives: float) -> None:
        """Remember a token that was issued."""
        with self._store.transaction() as sql:
            sql.execute(
                "INSERT INTO gosuslugi_token (hash, kind, code, expires_at) VALUES (?, ?, ?, ?)",
                (_hash(token), kind, code_id, self._clock() + lives),
            )
            self._store.keep_newest(sql, "gosuslugi_token")

    def token(self, token: str, kind: Kind, face: Face) -> Grant | None:
        """The meaning of a token that still works."""
        with self._store.transaction() as sql:
            row = sql.execute(
                "SELECT c.* FROM gosuslugi_token t JOIN gosuslugi_code c ON c.id = t.code"
                " WHERE t.hash = ? AND t.kind = ? AND t.revoked = 0 AND t.expires_at > ?",
                (_hash(token), kind, self._clock()),
            ).fetchone()
            grant = _grant(row) if row is not None else None
            return grant if grant is not None and grant.asked.face == face else None

    def revoke(self, token: str) -> bool:
        """End one token. False if it has ended already."""
        with self._store.transaction() as sql:
            cursor = sql.execute(
                "UPDATE gosuslugi_token SET revoked = 1 WHERE hash = ? AND revoked = 0", (_hash(token),)
            )
            return cursor.rowcount == 1

    def _living(self, sql: sqlite3.Connection, code_id: str, face: Face) -> Grant | None:
        row = sql.execute("SELECT * FROM gosuslugi_code WHERE id = ?", (code_id,)).fetchone()
        if row is None:
            return None
        if row["used"]:
            sql.execute("UPDATE gosuslugi_token SET revoked = 1 WHERE code = ?", (code_id,))
            return None
        if self._clock() >= row["issued_at"] + CODE_LIVES:
            return None
        grant = _grant(row)
        return grant if grant.asked.face == face else None


def _grant(row: sqlite3.Row) -> Grant:
    return Grant(row["id"], Asked.from_json(row["asked"]), row["oid"], row["amr"], row["sid"], row["signed_in_at"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
