"""The release before works on the schema of this one: for some minutes of an upgrade its processes do (docs/install.md).

What it knows of its tables and every statement that it sends to PostgreSQL were written down once (`recording.py`), for its code
cannot be here. Rows are put in, read, changed and deleted by its columns alone; each of its statements must still be one that the
database plans. What its code makes of the answers is not shown by this.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from medonline.storage import migrations
from tests.storage.migrating import upgrade
from tests.storage.postgresql_server import address_of, administer

RELEASED = Path(__file__).parent / "released"
RELEASE, REVISION = "0.9.0", "0025"
Columns = dict[str, dict[str, Any]]
TABLES: dict[str, Columns] = json.loads((RELEASED / f"{RELEASE}.json").read_text(encoding="utf-8"))
STATEMENTS = (RELEASED / f"{RELEASE}.sql").read_text(encoding="utf-8").splitlines()
_PARAMETER = re.compile(r"%\(\w+\)s")
# What the database itself forbids, then as now.
NEVER_CHANGED = {"security_journal", "security_journal_checkpoint"}
OF_MIGRATIONS = "circuit_breaker"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'medonline.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    asyncio.run(administer(server, "CREATE DATABASE of_a_release"))
    yield address_of(server, "of_a_release")
    asyncio.run(administer(server, "DROP DATABASE of_a_release WITH (FORCE)"))


def value_of(table: str, name: str, column: dict[str, Any]) -> str:
    """A literal that the column takes; the same at each call, so that rows point at one another."""
    if "of" in column:
        return value_of(*column["of"].split("."), TABLES[column["of"].split(".")[0]][column["of"].split(".")[1]])
    if table == OF_MIGRATIONS and name == "name":
        return "'of the release'"
    return {
        "BigInteger": "1",
        "Integer": "1",
        "Boolean": "false",
        "UtcDateTime": "'2026-03-01 12:00:00.000000'",
        "Date": "'2026-03-01'",
    }.get(column["type"], "'one'")


def put(connection: Connection) -> None:
    """A row into each table, as the release does: it names its columns and no others."""
    for table, columns in TABLES.items():
        values = ", ".join(value_of(table, name, column) for name, column in columns.items())
        connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"))


def found(connection: Connection) -> dict[str, list[str]]:
    """Every row, by the release's columns."""
    return {
        table: sorted(
            str(tuple(map(str, row))) for row in connection.execute(text(f"SELECT {', '.join(columns)} FROM {table}"))
        )
        for table, columns in TABLES.items()
    }


def change(connection: Connection) -> None:
    for table, columns in TABLES.items():
        changed = [name for name, column in columns.items() if not column.get("key") and "of" not in column]
        if table not in NEVER_CHANGED and changed:
            sets = ", ".join(f"{name} = {value_of(table, name, columns[name])}" for name in changed)
            connection.execute(text(f"UPDATE {table} SET {sets}"))


def forget(connection: Connection) -> None:
    for table in reversed(TABLES):
        if table not in NEVER_CHANGED:
            connection.execute(text(f"DELETE FROM {table}"))


def refused(connection: Connection, statements: list[str]) -> list[str]:
    """Those that the database does not plan, with its word."""
    faults = []
    for statement in statements:
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"EXPLAIN {_PARAMETER.sub('NULL', statement).replace('%', '%%')}")
        except Exception as error:
            faults.append(f"{statement}: {error}")
    return faults


def test_the_release_writes_reads_changes_and_deletes_on_this_schema(address: str) -> None:
    asyncio.run(migrations.upgrade(address))
    engine = create_engine(address)
    with engine.begin() as connection:
        put(connection)
        before = found(connection)
        assert all(before.values())
        change(connection)
        forget(connection)
    engine.dispose()


def test_what_the_release_wrote_stays_through_the_migration(address: str) -> None:
    asyncio.run(upgrade(address, REVISION))
    engine = create_engine(address)
    with engine.begin() as connection:
        put(connection)
        before = found(connection)
    asyncio.run(migrations.upgrade(address))
    with engine.begin() as connection:
        assert found(connection) == before
        change(connection)
        forget(connection)
    engine.dispose()


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
def test_every_statement_of_the_release_is_planned_on_this_schema(address: str) -> None:
    asyncio.run(migrations.upgrade(address))
    engine = create_engine(address)
    with engine.begin() as connection:
        assert len(STATEMENTS) > 100
        assert refused(connection, STATEMENTS) == []
    engine.dispose()


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "contracted",
    [
        "ALTER TABLE patient DROP COLUMN cards_incomplete",
        "ALTER TABLE patient RENAME COLUMN first_name TO given_name",
        "ALTER TABLE one_time_code ADD COLUMN wanted VARCHAR NOT NULL",
        "ALTER TABLE account_session RENAME TO session",
    ],
)
def test_a_migration_that_does_more_than_add_is_noticed(address: str, contracted: str) -> None:
    asyncio.run(migrations.upgrade(address))
    engine = create_engine(address)
    with engine.connect() as connection:
        connection.execute(text(contracted))
        faults = refused(connection, STATEMENTS)
        try:
            put(connection)
        except Exception as error:
            faults.append(str(error))
        assert faults
    engine.dispose()


def test_the_release_is_the_one_before_this() -> None:
    versions = re.findall(
        r"^## (\d+\.\d+\.\d+) ", (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert versions[1] == RELEASE, "record the release before this one: tests/storage/recording.py"
