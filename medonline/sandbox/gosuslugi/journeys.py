"""Sign-ins in progress. Each belongs to one browser and goes through sign_in -> code -> consent -> done.

A journey lives 30 minutes. Its SMS code lives 5 minutes and allows 3 tries. The methods of `Journeys` block for one small transaction: call
them through `asyncio.to_thread`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from medonline.sandbox.gosuslugi.asked import Asked
from medonline.sandbox.gosuslugi.sessions import Session
from medonline.sandbox.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gosuslugi_journey (
    id TEXT PRIMARY KEY, browser TEXT NOT NULL, asked TEXT NOT NULL, created_at REAL NOT NULL,
    step TEXT NOT NULL DEFAULT 'sign_in', oid INTEGER NOT NULL DEFAULT 0, amr TEXT NOT NULL DEFAULT '',
    sid TEXT NOT NULL DEFAULT '', signed_in_at REAL NOT NULL DEFAULT 0,
    sms_code TEXT NOT NULL DEFAULT '', sms_at REAL NOT NULL DEFAULT 0,
    misses INTEGER NOT NULL DEFAULT 0, outcome TEXT NOT NULL DEFAULT ''
)
"""
_JOURNEY_LIVES = 30 * 60.0  # seconds
_CODE_LIVES = 5 * 60.0
TRIES = 3
_SMS_SENDER = "gosuslugi"


class Step(StrEnum):
    """The page that a journey is at."""

    SIGN_IN = "sign_in"
    CODE = "code"
    CONSENT = "consent"
    DONE = "done"


class CodeVerdict(StrEnum):
    """The result of a typed SMS code."""

    RIGHT = "right"
    WRONG = "wrong"
    USED_UP = "used_up"
    EXPIRED = "expired"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Journey:
    """One sign-in, as read from the database, without its browser: only `Journeys.find` compares that.

    `oid` is the person who signs in and `sid` the sandbox session. They are 0 or empty until they are known. `misses` counts wrong SMS
    codes. `outcome` is the address where the journey ended, empty before.
    """

    id: str
    asked: Asked
    step: Step
    oid: int
    amr: str
    sid: str
    signed_in_at: float
    misses: int
    outcome: str


class Journeys:
    """The table of sign-ins in progress."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        store.add_tables(_SCHEMA)

    def begin(self, asked: Asked, browser: str) -> Journey:
        """Start a journey for the browser that holds this secret."""
        journey_id, now = secrets.token_urlsafe(16), self._clock()
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM gosuslugi_journey WHERE created_at < ?", (now - _JOURNEY_LIVES,))
            sql.execute(
                "INSERT INTO gosuslugi_journey (id, browser, asked, created_at) VALUES (?, ?, ?, ?)",
                (journey_id, _fingerprint(browser), asked.as_json(), now),
            )
            self._store.keep_newest(sql, "gosuslugi_journey")
        return Journey(journey_id, asked, Step.SIGN_IN, 0, "", "", 0, 0, "")

    def find(self, journey_id: str, browser: str) -> Journey | None:
        """The journey, if it is alive and belongs to the browser."""
        with self._store.transaction() as sql:
            row = _row(sql, journey_id, self._clock())
            if row is None or not hmac.compare_digest(row["browser"], _fingerprint(browser)):
                return None
            return _journey(row)

    def ask_code(self, journey_id: str, oid: int, phone: str) -> None:
        """Send an SMS code and wait for it. While a code for the same person lives, another call sends nothing."""
        now, code = self._clock(), f"{secrets.randbelow(10**6):06}"
        with self._store.transaction() as sql:
            row = _row(sql, journey_id, now)
            if row is None or row["step"] == Step.DONE:
                return
            if row["step"] == Step.CODE and row["oid"] == oid and now < row["sms_at"] + _CODE_LIVES:
                return
            _set(sql, journey_id, step=Step.CODE, oid=oid, sms_code=code, sms_at=now, misses=0)
            text = f"Код подтверждения для входа: {code}. Никому его не сообщайте."
            self._store.insert_event(sql, phone, "sms", _SMS_SENDER, text)

    def try_code(self, journey_id: str, typed: str) -> CodeVerdict:
        """Check a typed code. After three misses the person starts again with the password."""
        now = self._clock()
        with self._store.transaction() as sql:
            row = _row(sql, journey_id, now)
            if row is None or row["step"] != Step.CODE:
                return CodeVerdict.NOT_ASKED
            if now >= row["sms_at"] + _CODE_LIVES:
                _set(sql, journey_id, step=Step.SIGN_IN, sms_code="")
                return CodeVerdict.EXPIRED
            if hmac.compare_digest(typed.encode(), row["sms_code"].encode()):
                return CodeVerdict.RIGHT
            misses = row["misses"] + 1
            if misses >= TRIES:
                _set(sql, journey_id, step=Step.SIGN_IN, sms_code="", misses=misses)
                return CodeVerdict.USED_UP
            _set(sql, journey_id, misses=misses)
            return CodeVerdict.WRONG

    def prove(self, journey_id: str, session: Session) -> Journey | None:
        """The person is known: the consent comes next. A finished journey stays as it is."""
        with self._store.transaction() as sql:
            row = _row(sql, journey_id, self._clock())
            if row is not None and row["step"] != Step.DONE:
                values: dict[str, str | float] = {"oid": session.oid, "amr": session.amr, "sid": session.sid}
                _set(sql, journey_id, step=Step.CONSENT, sms_code="", signed_in_at=session.at, **values)
                row = _row(sql, journey_id, self._clock())
            return _journey(row) if row is not None else None

    def finish(self, journey_id: str, outcome: str) -> str:
        """End the journey at an address. The first outcome holds, no matter how often a button is pressed."""
        with self._store.transaction() as sql:
            row = _row(sql, journey_id, self._clock())
            if row is not None and row["step"] == Step.DONE:
                return str(row["outcome"])
            _set(sql, journey_id, step=Step.DONE, outcome=outcome)
            return outcome


def _row(sql: sqlite3.Connection, journey_id: str, now: float) -> sqlite3.Row | None:
    found = sql.execute(
        "SELECT * FROM gosuslugi_journey WHERE id = ? AND created_at > ?", (journey_id, now - _JOURNEY_LIVES)
    ).fetchone()
    return found if isinstance(found, sqlite3.Row) else None


def _set(sql: sqlite3.Connection, journey_id: str, **values: str | float) -> None:
    names = ", ".join(f"{name} = ?" for name in values)
    sql.execute(f"UPDATE gosuslugi_journey SET {names} WHERE id = ?", (*values.values(), journey_id))  # noqa: S608


def _journey(row: sqlite3.Row) -> Journey:
    return Journey(
        row["id"],
        Asked.from_json(row["asked"]),
        Step(row["step"]),
        row["oid"],
        row["amr"],
        row["sid"],
        row["signed_in_at"],
        row["misses"],
        row["outcome"],
    )


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
