"""Copies of a SQLite database while it is in use, and one that takes its place.

A copy is made by SQLite's own online backup: one moment of the database, whole, while others go on writing. A file that is copied
by itself lacks what is still in the write-ahead log.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_LONGEST_WAIT_S = 0.5  # who has a database open has it open for long
_BESIDE = ("-wal", "-shm", "-journal")


class CannotCopy(Exception):
    """The text says in English what is wrong with a file; nothing was put anywhere."""


def copy(source: Path, target: Path) -> dict[str, int]:
    """Copy one moment of a database into a new file of this user alone; gives how many rows each table has.

    Raises:
        FileExistsError: the target is there already.
        CannotCopy: the source is no database, or the copy is not whole.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(_opened(source)) as origin, closing(_opened(target)) as copied:
            origin.execute("BEGIN")
            rows = _rows(origin)  # the first question fixes the moment that is copied
            origin.backup(copied)
            origin.rollback()
            _require_whole(copied, rows)
        settle(target)
    except sqlite3.Error as error:
        _remove(target)
        raise CannotCopy(f"{source} cannot be copied: {error}.") from error
    except BaseException:
        _remove(target)
        raise
    return rows


def settle(path: Path) -> None:
    """Make a database one file again, without a write-ahead log beside it, and see it onto the disk."""
    with closing(_opened(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    for part in (path, path.parent):
        opened = os.open(part, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def take_the_place(fresh: Path, target: Path) -> Path | None:
    """Put a database in the place of another one, which is kept beside it; gives where, None if there was none.

    Raises:
        CannotCopy: a process has the other one open.
    """
    aside = None
    if target.exists():
        require_unused(target)
        aside = target.with_name(f"{target.name}-before-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        # Danger: a log that stays beside the target would be taken for its own by the database that comes.
        for end in _BESIDE:
            if (log := Path(f"{target}{end}")).exists():
                log.replace(f"{aside}{end}")
        target.replace(aside)
    fresh.replace(target)
    settle(target)
    return aside


def require_unused(path: Path) -> None:
    """Whether no one has a SQLite database open.

    Raises:
        CannotCopy: a process has.
    """
    try:
        with closing(_opened(path, _LONGEST_WAIT_S)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # refused while any other connection is open
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _LOCKED:
            msg = f"{path} is in use: stop the portal first."
            raise CannotCopy(msg) from error
    except sqlite3.DatabaseError:
        return  # damaged, which may be why another one takes its place


def _opened(path: Path, timeout: float = 5.0) -> sqlite3.Connection:
    """A connection that makes no file and begins no transaction by itself; waits `timeout` seconds for a lock."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", timeout, uri=True, isolation_level=None)


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return {name: _count(connection, name) for (name,) in found.fetchall()}


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    (count,) = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()  # noqa: S608 (quoted)
    return int(count)


def _require_whole(copied: sqlite3.Connection, rows: dict[str, int]) -> None:
    said = [line for (line,) in copied.execute("PRAGMA integrity_check")]
    if said != ["ok"]:
        raise CannotCopy(f"The database is damaged: {said[0]}.")
    if copied.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise CannotCopy("The database is damaged: rows point at nothing.")
    if _rows(copied) != rows:
        raise CannotCopy("The copy has other numbers of rows than the database.")


def _remove(path: Path) -> None:
    for end in ("", *_BESIDE):
        Path(f"{path}{end}").unlink(missing_ok=True)
