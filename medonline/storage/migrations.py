"""Brings the database to the revision that this version of the code expects."""

from __future__ import annotations

import asyncio

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from alembic import command
from medonline import installed
from medonline.storage.revisions import revisions_at

_INI = installed.ROOT / "alembic.ini"
_JOURNAL_SINCE = "0005"  # earlier revisions have no security journal
NOTHING = "base"


class CannotMigrate(Exception):
    """The text says in English what prevents the migration and what to do."""


def alembic_config(url: str) -> Config:
    """The project's Alembic configuration for one database."""
    config = Config(_INI)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


async def upgrade(url: str) -> None:
    """Migrate to the newest revision. Does nothing when the database is there already.

    Raises:
        CannotMigrate: a newer version of the code made the database.
    """
    try:
        await asyncio.to_thread(command.upgrade, alembic_config(url), "head")
    except CommandError as error:
        found = await revisions_at(url)
        raise CannotMigrate(found.fault or f"The migration failed: {error}.") from error


async def move_to(url: str, revision: str) -> None:
    """Migrate up or down to a revision (`base` is the empty database).

    Raises:
        CannotMigrate: there is no such revision, or a newer version of the code made the database.
    """
    found = await revisions_at(url)
    if found.newer:
        raise CannotMigrate(found.fault)
    move = command.downgrade if await is_down(url, revision) else command.upgrade
    await asyncio.to_thread(move, alembic_config(url), revision)


async def is_down(url: str, revision: str) -> bool:
    """Whether a revision comes before the one that the database has. Migrating down deletes tables and columns.

    Raises:
        CannotMigrate: there is no such revision.
    """
    found = await revisions_at(url)
    return found.has is not None and revision != found.has and revision in _up_to(url, found.has, revision)


def has_journal(url: str, revision: str) -> bool:
    """Whether a database at this revision has a security journal."""
    return _JOURNAL_SINCE in _up_to(url, revision, revision)


def _up_to(url: str, head: str, must_exist: str) -> set[str]:
    """The revisions up to and including `head`, and `base`."""
    known = ScriptDirectory.from_config(alembic_config(url))
    every = [one.revision for one in known.walk_revisions()]
    if must_exist not in (*every, NOTHING):
        msg = f"There is no revision {must_exist!r}: the first is {every[-1]}, the last {every[0]}; {NOTHING!r} is an empty database."
        raise CannotMigrate(msg)
    return {NOTHING, *(every[every.index(head) :] if head in every else ())}
