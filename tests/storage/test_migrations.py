"""Migrations lead from nothing to the tables the code describes, and back."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from alembic import command
from medonline.storage import migrations, models
from medonline.storage.engine import Database

TABLES = {"patient", "password_recovery", "one_time_code", "login_ticket", "account_session"}


def url_of(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'medonline.sqlite3'}"


def schema_of(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "medonline.sqlite3") as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return dict(rows)


async def downgrade(url: str) -> None:
    await asyncio.to_thread(command.downgrade, migrations.alembic_config(url), "base")


async def test_migrations_go_up_down_to_nothing_and_up_again(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    await migrations.upgrade(url)
    first = schema_of(tmp_path)
    await downgrade(url)
    nothing = schema_of(tmp_path)
    await migrations.upgrade(url)

    assert set(first) >= TABLES
    assert set(nothing) == {"alembic_version"}
    assert schema_of(tmp_path) == first


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    await migrations.upgrade(url_of(tmp_path))
    before = schema_of(tmp_path)
    await migrations.upgrade(url_of(tmp_path))

    assert schema_of(tmp_path) == before


async def test_the_tables_in_the_code_are_those_of_the_migrations(tmp_path: Path) -> None:
    assert set(SQLModel.metadata.tables) == TABLES == {table.__tablename__ for table in TABLE_CLASSES}
    await migrations.upgrade(url_of(tmp_path))

    assert await differences(url_of(tmp_path)) == []


async def test_a_table_the_migrations_do_not_know_is_seen(tmp_path: Path) -> None:
    await migrations.upgrade(url_of(tmp_path))
    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        connection.execute("DROP INDEX ix_one_time_code_due")
    connection.close()

    assert [difference[0] for difference in await differences(url_of(tmp_path))] == ["add_index"]


async def test_the_revision_in_force_and_the_one_wanted_are_told(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    database = Database(url)
    has, wants = await migrations.revisions(database, url)
    assert has is None
    assert wants
    await migrations.upgrade(url)

    assert await migrations.revisions(database, url) == (wants, wants)
    await database.close()


TABLE_CLASSES = (
    models.Patient,
    models.PasswordRecovery,
    models.OneTimeCodeRow,
    models.LoginTicket,
    models.AccountSession,
)


async def differences(url: str) -> list[tuple[object, ...]]:
    def compare(connection: Connection) -> list[tuple[object, ...]]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(compare)
    finally:
        await database.close()
