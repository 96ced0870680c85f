"""The command that moves a portal from SQLite to PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from time import perf_counter

import click
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from medonline.bootstrap.desk import build_desk
from medonline.cli.failures import CALLED_WRONGLY, Refused
from medonline.cli.known_key import require_known_key
from medonline.cli.options import mode
from medonline.cli.portal import refuse_an_empty_demo, require_current
from medonline.cli.running import settings_beside
from medonline.config.settings import Config
from medonline.config.types import has_password, is_database
from medonline.storage import backups, migrations
from medonline.storage.copies import copy_rows
from medonline.storage.engine import Database
from medonline.storage.revisions import revisions_at, sqlite_file

_TELL_EVERY_S = 5.0


@click.command("copy-database")
@click.option("--to", "address", metavar="URL", help="Where to: postgresql+psycopg://user@host/database, no password.")
@click.option(
    "--to-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file with that address, which may hold a password.",
)
@mode
def copy_database(address: str | None, to_file: Path | None) -> int:
    """Copy every row of the configured SQLite database into a new PostgreSQL database, and examine the copy.

    The portal must not run. If the target has no tables, the command creates them. If it has rows or another version, the command refuses.
    All rows arrive or none: after an interruption run the command again.
    """
    if (address is None) == (to_file is None):
        click.echo("Say where to: --to URL or --to-file FILE.", err=True)
        return CALLED_WRONGLY
    if address is not None and _has_password(address):
        click.echo(
            "A password does not belong into the command: every user of this machine can read it. Write the address into a file "
            "of yours alone (--to-file), or keep the password in ~/.pgpass.",
            err=True,
        )
        return CALLED_WRONGLY
    config = settings_beside(refuse_an_empty_demo)
    source = _source(config)
    target = config.model_copy(update={"database_url": _target(address, to_file)})
    asyncio.run(_require_usable(config, target))
    backups.require_unused(source)
    asyncio.run(_require_whole_journal(config, "nothing was copied. Find out what happened to it first"))
    counts = _copied(config, target)
    click.echo(f"Copied and compared: {len(counts)} tables, {sum(counts.values())} rows.")
    rows = asyncio.run(_require_whole_journal(target, "do not use the copy"))
    click.echo(f"The journal of the copy is whole: {rows} rows.")
    click.echo(
        f"Set MEDONLINE_DATABASE_URL to it and start the portal. {source} is as it was: keep it, and do not serve it."
    )
    return 0


def _has_password(address: str) -> bool:
    return is_database(address) and has_password(address)


def _source(config: Config) -> Path:
    file = sqlite_file(config.database)
    if file is None:
        raise Refused(
            "This is for a portal on SQLite. PostgreSQL has pg_dump and pg_restore: docs/install.md, «Backup»."
        )
    return file


def _target(address: str | None, to_file: Path | None) -> str:
    written = address if to_file is None else to_file.read_text(encoding="utf-8").strip()
    if not written or not is_database(written) or make_url(written).get_backend_name() != "postgresql":
        raise Refused("The target is a PostgreSQL: postgresql+psycopg://user@host/database.")
    return written


async def _require_usable(config: Config, target: Config) -> None:
    """Create the target's tables if there are none.

    Raises:
        Refused: one of the two has another version, or the key is not that of the source.
    """
    await require_current(config)
    await require_known_key(config)
    found = await revisions_at(target.database)
    if found.has is None:
        await _require_no_tables(target)
        await migrations.upgrade(target.database)
    elif found.fault:
        raise Refused(f"The target is of another version. {found.fault}")


async def _require_no_tables(target: Config) -> None:
    database = Database(target.database)
    try:
        names = await database.read(lambda session: inspect(session.connection()).get_table_names())
    finally:
        await database.close()
    if names:
        raise Refused(f"The target is not empty: it has a table {names[0]}. Name a new database.")


async def _require_whole_journal(config: Config, otherwise: str) -> int:
    """The number of rows in the journal.

    Raises:
        Refused: the journal is broken.
    """
    desk = build_desk(config)
    try:
        found = await desk.journal_keeper.examine()
    finally:
        await desk.close()
    if found.fault:
        raise Refused(f"The security journal is broken, so {otherwise}. {found.fault}")
    return found.rows


def _copied(config: Config, target: Config) -> dict[str, int]:
    told_at = perf_counter()

    def tell(table: str, rows: int) -> None:
        nonlocal told_at
        if perf_counter() - told_at > _TELL_EVERY_S:
            told_at = perf_counter()
            sys.stderr.write(f"{table}: {rows} rows …\n")

    databases = Database(config.database), Database(target.database)
    try:
        return copy_rows(*databases, tell)
    finally:
        for database in databases:
            asyncio.run(database.close())
