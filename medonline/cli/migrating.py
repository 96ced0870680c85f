"""The command that brings the database to this version, or to another one."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click

from medonline.bootstrap.desk import build_desk
from medonline.cli.failures import Refused
from medonline.cli.options import mode
from medonline.cli.portal import warn_of_open_files
from medonline.config.settings import Config, load_config
from medonline.storage import migrations
from medonline.storage.revisions import revisions_at


@click.command()
@click.option(
    "--to", "revision", metavar="REVISION", help="Another revision than the newest: 0018, or base for nothing."
)
@click.option("--yes", is_flag=True, help="Really go down: tables and columns of newer revisions are dropped.")
@click.option(
    "--journal-to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the security journal is written before a way down drops it; a new file.",
)
@mode
def migrate(revision: str | None, yes: bool, journal_to: Path | None) -> None:
    """Migrate the database to this version, or up or down to another revision."""
    config = load_config()
    warn_of_open_files(config)
    if revision is None:
        asyncio.run(migrations.upgrade(config.database))
        click.echo("The database is up to date.")
        return
    asyncio.run(_move(config, revision, yes, journal_to))
    click.echo(f"The database is at revision {revision}.")


async def _move(config: Config, revision: str, yes: bool, journal_to: Path | None) -> None:
    if await migrations.is_down(config.database, revision):
        if not yes:
            msg = f"Down to {revision} drops what newer revisions keep, for good. Make a backup, then run it again with --yes."
            raise Refused(msg)
        if not migrations.has_journal(config.database, revision):
            await _export_journal(config, revision, journal_to)
    await migrations.move_to(config.database, revision)


async def _export_journal(config: Config, revision: str, journal_to: Path | None) -> None:
    """Write the whole journal to the disk before the migration drops it.

    Raises:
        Refused: there is no file to write to, or this version cannot read the journal at the database's revision.
    """
    found = await revisions_at(config.database)
    if not migrations.has_journal(config.database, found.has or migrations.NOTHING):
        return
    if journal_to is None:
        raise Refused(f"Revision {revision} has no security journal: name a file that keeps it with --journal-to.")
    if found.fault:
        raise Refused(f"This version cannot read the journal to export it. {found.fault}")
    desk = build_desk(config)
    try:
        rows = await _write_new(journal_to, desk.journal_keeper.everything())
    finally:
        await desk.close()
    click.echo(f"The journal is in {journal_to}: {rows} rows.")


async def _write_new(path: Path, rows: AsyncIterator[dict[str, Any]]) -> int:
    count = 0
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{path} is there already: name a new file for the journal.") from None
    with open(opened, "w", encoding="utf-8") as file:  # noqa: ASYNC230 (a command: nothing else runs on this loop)
        async for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count
