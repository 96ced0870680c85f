"""Copy a SQLite database while it is in use, and put a copy in its place.

SQLite's own online backup makes the copy: it holds one moment of the whole database, while others go on writing. A plain copy of the file
lacks what is still in the write-ahead log.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_LONGEST_WAIT_S = 0.5  # A process that has the database open usually keeps it open, so waiting longer would not help.
_BESIDE = ("-wal", "-shm", "-journal")


class CannotCopy(Exception):
    """The text says in English what is wrong with a file. Nothing was copied or replaced."""


def copy(source: Path, target: Path) -> dict[str, int]:
    """Copy one moment of a database into a new file that only this user may read. Returns the number of rows by table.

    Raises:
        FileExistsError: the target exists already.
        CannotCopy: the source is no database, or the copy is not complete.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(_opened(source)) as origin, closing(_opened(target)) as copied:
            origin.execute("BEGIN")
            rows = _rows(origin)  # the first query fixes the moment that is copied
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
    """Turn a database back into a single file without a write-ahead log beside it, and flush it to the disk."""
    with closing(_opened(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    for part in (path, path.parent):
        opened = os.open(part, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def take_the_place(fresh: Path, target: Path) -> Path | None:
    """Put a database in the place of another one. The other one is kept beside it: returns its new path, or None if there was none.

    Raises:
        CannotCopy: a process has the other one open.
    """
    aside = None
    if target.exists():
        require_unused(target)
        aside = target.with_name(f"{target.name}-before-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        # Danger: SQLite would take a log that stays beside the target for the log of the new database.
        for end in _BESIDE:
            if (log := Path(f"{target}{end}")).exists():
                log.replace(f"{aside}{end}")
        target.replace(aside)
    fresh.replace(target)
    settle(target)
    return aside


def require_unused(path: Path) -> None:
    """Check that no process has a SQLite database open.

    Raises:
        CannotCopy: a process has it open.
    """
    try:
        with closing(_opened(path, _LONGEST_WAIT_S)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # refused while any other connection is open
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _LOCKED:
            msg = f"{path} is in use: stop the portal first."
            raise CannotCopy(msg) from error
    except sqlite3.DatabaseError:
        return  # the database is damaged, which may be the reason for replacing it


def _opened(path: Path, timeout: float = 5.0) -> sqlite3.Connection:
    """A connection that creates no file and begins no transaction by itself. It waits `timeout` seconds for a lock."""
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
