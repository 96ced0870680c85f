"""Commands that copy a SQLite database while it is in use, and put a copy in its place."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from medonline.bootstrap.desk import build_desk
from medonline.cli.failures import Refused
from medonline.cli.known_key import fault_of_key
from medonline.cli.options import mode
from medonline.cli.portal import refuse_an_empty_demo
from medonline.cli.running import settings_beside
from medonline.config.settings import Config
from medonline.storage import backups
from medonline.storage.engine import Database
from medonline.storage.revisions import revisions_at, sqlite_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@mode
def backup(file: Path) -> int:
    """Copy the database into a new FILE and examine the copy. Exit code 1 when its journal is broken. SQLite only."""
    config = settings_beside(refuse_an_empty_demo)
    source = _database_file(config)
    if not source.exists():
        raise Refused(f"There is no database at {source}.")
    rows = backups.copy(source, file)
    click.echo(f"{file}: {_counted(rows)}.")
    return _tell_of_journal(config, file)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Really replace the database that is there; it is kept beside.")
@mode
def restore(file: Path, yes: bool) -> int:
    """Replace the database with a FILE that `medonline backup` made. Exit code 1 when its journal is broken. SQLite only.

    The portal must not run. Sessions, codes and passwords will be those of the moment when the copy was made.
    """
    config = settings_beside()
    target = _database_file(config)
    if target.exists() and not yes:
        raise Refused(f"{target} would be replaced, and kept beside under another name: run it again with --yes.")
    fresh = target.with_name(f"{target.name}-restoring")
    fresh.unlink(missing_ok=True)  # left by an interrupted restore
    rows = backups.copy(file, fresh)
    try:
        asyncio.run(_require_usable(config, fresh))
        backups.settle(fresh)
        aside = backups.take_the_place(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
    click.echo(f"{target}: {_counted(rows)}.")
    if aside is not None:
        click.echo(f"The database of before is at {aside}.")
    return _tell_of_journal(config, target)


def _database_file(config: Config) -> Path:
    file = sqlite_file(config.database)
    if file is None:
        raise Refused("This is for SQLite. PostgreSQL has pg_dump and pg_restore: docs/install.md, «Backup».")
    return file


def _counted(rows: dict[str, int]) -> str:
    return f"{len(rows)} tables, {sum(rows.values())} rows"


def _at(config: Config, file: Path) -> Config:
    return config.model_copy(update={"database_url": f"sqlite:///{file.resolve()}"})


async def _require_usable(config: Config, file: Path) -> None:
    """Check that this version, with its keys, can use a database.

    Raises:
        Refused: it cannot.
    """
    there = _at(config, file)
    found = await revisions_at(there.database)
    if found.newer or found.has is None:
        raise Refused(found.fault)
    if found.fault:
        return  # an older database: `medonline migrate` brings it to this version, and its rows may have another shape
    database = Database(there.database)
    try:
        fault = await fault_of_key(config, database)
    finally:
        await database.close()
    if fault:
        raise Refused(fault)


def _tell_of_journal(config: Config, file: Path) -> int:
    """Examine the journal of a database that no one else uses. Returns the exit code."""
    there = _at(config, file)
    found = asyncio.run(revisions_at(there.database))
    if found.fault:
        backups.settle(file)
        click.echo(f"Its journal was not examined. {found.fault}")
        return 0
    fault, count = asyncio.run(_examine(there))
    backups.settle(file)
    if fault:
        click.echo(f"Its journal is broken. {fault}", err=True)
        return 1
    click.echo(f"Its journal is whole: {count} rows.")
    return 0


async def _examine(config: Config) -> tuple[str, int]:
    desk = build_desk(config)
    try:
        found = await desk.journal_keeper.examine()
    finally:
        await desk.close()
    return found.fault, found.rows
