"""The command that brings the database to this version."""

from __future__ import annotations

import asyncio

import click

from medonline.cli.options import mode
from medonline.cli.portal import warn_of_open_files
from medonline.config.settings import load_config
from medonline.storage import migrations


@click.command(short_help="Bring the database to this version.")
@mode
def migrate() -> None:
    """Bring the database to this version."""
    config = load_config()
    warn_of_open_files(config)
    asyncio.run(migrations.upgrade(config.database))
    click.echo("The database is up to date.")
