"""Bringing the database to the state this version of the code expects."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import Session

from alembic import command
from medonline.storage.engine import Database

_INI = Path(__file__).resolve().parents[2] / "alembic.ini"


def alembic_config(url: str) -> Config:
    """The project's Alembic configuration for one database."""
    config = Config(_INI)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


async def upgrade(url: str) -> None:
    """Migrate to the newest revision; does nothing when it is there already."""
    await asyncio.to_thread(command.upgrade, alembic_config(url), "head")


async def revisions(database: Database, url: str) -> tuple[str | None, str | None]:
    """The revision the database has and the one the code wants."""
    wanted = ScriptDirectory.from_config(alembic_config(url)).get_current_head()

    def read(session: Session) -> str | None:
        return MigrationContext.configure(session.connection()).get_current_revision()

    return await database.read(read), wanted
