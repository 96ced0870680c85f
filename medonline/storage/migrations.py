"""Bringing the database to the state this version of the code expects."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import make_url
from sqlmodel import Session

from alembic import command
from medonline import installed
from medonline.storage.engine import Database

_INI = installed.ROOT / "alembic.ini"
_JOURNAL_SINCE = "0005"  # below it there is no security journal
NOTHING = "base"


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where a database is.

    Attributes:
        has: None: it has no tables, or there is no database yet.
        wants: what this version of the code works with.
        newer: a newer version of the code made it; this one cannot migrate it, nor work with it.
    """

    has: str | None
    wants: str | None
    newer: bool = False

    @property
    def fault(self) -> str:
        """An English sentence that says why the code cannot work with the database, and what to do; empty when it can."""
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


class CannotMigrate(Exception):
    """The text says in English what is in the way and what to do."""


def alembic_config(url: str) -> Config:
    """The project's Alembic configuration for one database."""
    config = Config(_INI)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


async def upgrade(url: str) -> None:
    """Migrate to the newest revision; does nothing when it is there already.

    Raises:
        CannotMigrate: a newer version of the code made the database.
    """
    try:
        await asyncio.to_thread(command.upgrade, alembic_config(url), "head")
    except CommandError as error:
        found = await revisions_at(url)
        raise CannotMigrate(found.fault or f"The migration failed: {error}.") from error


async def move_to(url: str, revision: str) -> None:
    """Migrate up or down to a revision (`base`: to nothing).

    Raises:
        CannotMigrate: there is no such revision, or a newer version of the code made the database.
    """
    found = await revisions_at(url)
    if found.newer:
        raise CannotMigrate(found.fault)
    move = command.downgrade if await is_down(url, revision) else command.upgrade
    await asyncio.to_thread(move, alembic_config(url), revision)


async def is_down(url: str, revision: str) -> bool:
    """Whether a revision is before the one that the database has. Down takes tables and columns away.

    Raises:
        CannotMigrate: there is no such revision.
    """
    found = await revisions_at(url)
    return found.has is not None and revision != found.has and revision in _up_to(url, found.has, revision)


def has_journal(url: str, revision: str) -> bool:
    """Whether a database at this revision has a security journal."""
    return _JOURNAL_SINCE in _up_to(url, revision, revision)


def _up_to(url: str, head: str, must_exist: str) -> set[str]:
    """The revisions before and with `head`, and `base`."""
    known = ScriptDirectory.from_config(alembic_config(url))
    every = [one.revision for one in known.walk_revisions()]
    if must_exist not in (*every, NOTHING):
        msg = f"There is no revision {must_exist!r}: the first is {every[-1]}, the last {every[0]}; {NOTHING!r} is an empty database."
        raise CannotMigrate(msg)
    return {NOTHING, *(every[every.index(head) :] if head in every else ())}


async def revisions_at(url: str) -> Revisions:
    """As `revisions`, over connections of its own. A SQLite file that is not there is not made."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return Revisions(None, _wanted(url))
    database = Database(url)
    try:
        return await revisions(database, url)
    finally:
        await database.close()


async def revisions(database: Database, url: str) -> Revisions:
    """The revision the database has and the one the code wants."""
    known = {one.revision for one in ScriptDirectory.from_config(alembic_config(url)).walk_revisions()}

    def read(session: Session) -> str | None:
        return MigrationContext.configure(session.connection()).get_current_revision()

    has = await database.read(read)
    return Revisions(has, _wanted(url), newer=has is not None and has not in known)


def _wanted(url: str) -> str | None:
    return ScriptDirectory.from_config(alembic_config(url)).get_current_head()


def sqlite_file(url: str) -> Path | None:
    """Where a SQLite database is; None for another kind, and for one in memory."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or not parts.database or parts.database == ":memory:":
        return None
    return Path(parts.database)
