"""Trouble of the database is told apart from a fault of the portal, as both drivers name it."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import exc

from medonline.domain.errors import CodeMismatch
from medonline.services.outages import JournalKeyUnknown, is_outage

REFUSALS = [
    (exc.OperationalError, sqlite3.OperationalError("database is locked")),
    (exc.OperationalError, sqlite3.OperationalError("database or disk is full")),
    (exc.OperationalError, sqlite3.OperationalError("attempt to write a readonly database")),
    (exc.OperationalError, psycopg.OperationalError("connection refused")),
    (exc.OperationalError, psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")),
    (exc.InternalError, psycopg.errors.ReadOnlySqlTransaction("cannot execute UPDATE in a read-only transaction")),
    (exc.InterfaceError, psycopg.InterfaceError("connection already closed")),
]


@pytest.mark.parametrize(("kind", "cause"), REFUSALS, ids=lambda value: str(value)[:40])
def test_what_a_database_in_trouble_raises_is_an_outage(kind: type[exc.DBAPIError], cause: Exception) -> None:
    assert is_outage(kind("UPDATE patient", None, cause))


def test_no_connection_in_time_is_one_too() -> None:
    assert is_outage(exc.TimeoutError("QueuePool limit"))


def test_a_process_that_must_not_write_is_one() -> None:
    assert is_outage(JournalKeyUnknown("of key 1234"))


@pytest.mark.parametrize(
    "error",
    [
        exc.IntegrityError("INSERT", None, sqlite3.IntegrityError("UNIQUE constraint failed")),
        exc.ProgrammingError("SELECT", None, sqlite3.ProgrammingError("no such column")),
        TimeoutError(),
        OSError(),
        CodeMismatch(2),
        ValueError(),
    ],
    ids=repr,
)
def test_what_was_asked_wrongly_is_none(error: Exception) -> None:
    assert not is_outage(error)
