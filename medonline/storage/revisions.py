"""Compares the revision of a database with the one that this version of the code wants.

It reads both without Alembic, which takes longer to load than most commands run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlmodel import Session

from medonline import installed
from medonline.storage.engine import Database

_VERSIONS = installed.ROOT / "alembic" / "versions"


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revision of a database.

    Attributes:
        has: None when the database has no tables or does not exist yet.
        wants: the revision that this version of the code works with.
        newer: a newer version of the code made the database. This version can neither migrate it nor work with it.
    """

    has: str | None
    wants: str | None
    newer: bool = False

    @property
    def fault(self) -> str:
        """An English sentence that says why the code cannot work with the database and what to do. Empty when it can."""
        if self.newer:
            return (
                f"The database is at revision {self.has}, which only a newer version of the portal knows (this one ends with "
                f"{self.wants}): install that version, or restore the backup of before."
            )
        if self.has is None:
            return "The database has no tables yet: run `medonline migrate`."
        if self.has != self.wants:
            return f"The database is at revision {self.has}, the code wants {self.wants}: run `medonline migrate`."
        return ""


@cache
def known() -> tuple[str, ...]:
    """The revisions of this version of the code, newest last: the numbers at the start of the files' names."""
    return tuple(sorted(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py")))


async def revisions_at(url: str) -> Revisions:
    """Like `revisions`, over its own connections. It does not create a missing SQLite file."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return Revisions(None, known()[-1])
    database = Database(url)
    try:
        return await revisions(database)
    finally:
        await database.close()


async def revisions(database: Database) -> Revisions:
    """The revision the database has and the one the code wants."""
    has = await database.read(_has)
    return Revisions(has, known()[-1], newer=has is not None and has not in known())


def _has(session: Session) -> str | None:
    """The revision that Alembic noted in its table. None when there is none or when everything was migrated down."""
    connection = session.connection()
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def sqlite_file(url: str) -> Path | None:
    """The path of a SQLite database. None for PostgreSQL and for a database in memory."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or not parts.database or parts.database == ":memory:":
        return None
    return Path(parts.database)
