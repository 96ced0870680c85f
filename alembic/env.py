"""Migrations run over the portal's own engine, so that SQLite gets the same pragmas as in service."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from alembic import context
from medonline.storage import tables  # noqa: F401  (fills the metadata)
from medonline.storage.engine import Database

_LOCK = 7_316_002  # of PostgreSQL's advisory locks
_OTHERS_MIGRATE_MS = 600_000


def run(connection: Connection) -> None:
    """Migrate over one connection, in one transaction."""
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # Of several processes that start at once one migrates; the others wait, and find it done. SQLite's writers wait anyway.
            # They wait as long as it takes: the time-out of the portal's own statements is shorter than many a migration.
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            connection.exec_driver_sql("SET LOCAL lock_timeout = DEFAULT")
        context.run_migrations()
        if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            message = "the migration would leave rows that point at nothing; nothing was changed"
            raise RuntimeError(message)


@contextmanager
def _one_at_a_time(database: Database) -> Iterator[None]:
    """Of several that migrate a SQLite file at once one goes on. The file's own lock is not enough: of four at once, one met an
    index that another had just made. The lock is on the folder, so that no file is left."""
    if not database.sqlite or not database.url.database or database.url.database == ":memory:":
        yield
        return
    folder = os.open(Path(database.url.database).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def migrate(url: str) -> None:
    """Open the database, migrate, close."""
    database = Database(url)
    try:
        with _one_at_a_time(database), database.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                # SQLite changes a column by building the table again: the keys that point at it must not notice.
                cursor = connection.connection.cursor()  # outside of a transaction: inside one the pragma does nothing
                cursor.execute("PRAGMA foreign_keys=OFF")
                # A process that migrates at the same time holds the file for longer than any transaction of the portal.
                cursor.execute(f"PRAGMA busy_timeout={_OTHERS_MIGRATE_MS}")
                cursor.close()
            connection.execution_options(medonline_writes=True)
            run(connection)
            connection.commit()
    finally:
        database.engine.dispose()


url = context.config.get_main_option("sqlalchemy.url")
if not url:
    from medonline.config.settings import load_config

    url = load_config().database
migrate(url)
