"""Copies every row of one database into another, empty one. One transaction there takes all rows or none.

Rows are read and written in bounded batches. Each side adds up a hash of each of its rows. So the rows that arrived are compared with those
sent, value by value, in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, text
from sqlmodel import SQLModel

from medonline.storage.backups import CannotCopy
from medonline.storage.engine import Database
from medonline.storage.tables.codes import CircuitBreaker
from medonline.storage.tables.security_journal import JournalCheckpoint

BATCH = 2_000
_HASHES = 1 << 256
_CHECKPOINTS = SQLModel.metadata.tables[str(JournalCheckpoint.__tablename__)]
_MADE_BY_MIGRATIONS = {str(CircuitBreaker.__tablename__)}  # a migration inserts its row, so the target has it

Progress = Callable[[str, int], None]


def copy_rows(source: Database, target: Database, tell: Progress) -> dict[str, int]:
    """Copy every row. Returns the number of rows by table. Both databases are at the revision of the code.

    It blocks until it is done, so use it in a command in which nothing else runs.

    tell: called after each batch with the table and the number of its rows copied so far.

    Raises:
        CannotCopy: the target has rows, or the rows that arrived differ from those sent. The target is empty then.
        SQLAlchemyError: as the driver raises it. The target is empty then.
    """
    with source.engine.connect() as there, target.engine.begin() as here:
        there.execution_options(medonline_writes=True)  # so that no one else writes until this ends
        _require_empty(here)
        counts = {}
        for table in _in_order():
            sent = _copy_table(there, here, table, tell)
            if sent != _summed(here, table):
                raise CannotCopy(f"What arrived in {table.name} is not what was sent; nothing is kept of it.")
            counts[table.name] = sent[0]
        _set_sequences(here)
    return counts


def _in_order() -> Iterator[Table]:
    """Each table follows those that it refers to. Checkpoints come before the journal, because its first row follows the last of them."""
    yield _CHECKPOINTS
    yield from (table for table in SQLModel.metadata.sorted_tables if table is not _CHECKPOINTS)


def _require_empty(connection: Connection) -> None:
    for table in SQLModel.metadata.sorted_tables:
        if table.name in _MADE_BY_MIGRATIONS:
            connection.execute(delete(table))
        elif connection.execute(select(table).limit(1)).first() is not None:
            raise CannotCopy(f"The target is not empty: there are rows in {table.name}. Name a new database.")


def _copy_table(there: Connection, here: Connection, table: Table, tell: Progress) -> tuple[int, int]:
    """How many rows were copied, and the sum of their hashes."""
    if table is _CHECKPOINTS and here.dialect.name == "postgresql":
        # A trigger accepts a checkpoint only for a row that exists, and the rows that these replace were deleted long ago. The trigger is
        # off in this transaction only, and nobody else can write meanwhile.
        here.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
    count, total = 0, 0
    for rows in _batches(there, table):
        here.execute(insert(table), [row._asdict() for row in rows])
        count, total = count + len(rows), (total + _sum_of(rows)) % _HASHES
        tell(table.name, count)
    if table is _CHECKPOINTS and here.dialect.name == "postgresql":
        here.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER USER"))
    return count, total


def _summed(connection: Connection, table: Table) -> tuple[int, int]:
    count, total = 0, 0
    for rows in _batches(connection, table):
        count, total = count + len(rows), (total + _sum_of(rows)) % _HASHES
    return count, total


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """Rows in the order of their key, so that the journal arrives in order. Never more than one batch is in memory."""
    statement = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)
    with connection.execute(statement) as found:
        yield from found.partitions()


def _sum_of(rows: Sequence[Row[Any]]) -> int:
    return sum(int.from_bytes(hashlib.sha256(repr(tuple(row)).encode()).digest(), "big") for row in rows)


def _set_sequences(connection: Connection) -> None:
    """Make the numbers that PostgreSQL generates continue after the highest one."""
    for table in SQLModel.metadata.sorted_tables:
        numbered = table.autoincrement_column
        if numbered is None or connection.dialect.name != "postgresql":
            continue
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": numbered.name}
        ).scalar_one()
        if sequence is not None:
            highest = select(numbered).order_by(numbered.desc()).limit(1)
            last = connection.execute(highest).scalar_one_or_none()
            if last is not None:
                connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
