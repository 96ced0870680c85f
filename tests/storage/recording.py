"""Writes down what a release asks of its database, for `test_released.py`: run it on the commit of the release. FOLDER: `released`
beside this module.

    RECORD_TO=$FOLDER/0.9.0 python -m pytest -p tests.storage.recording --database postgresql tests/services

It takes some ten minutes with TMPDIR in memory (/dev/shm), and longer on a disk. Two files come of it: `….json`, the tables and their
columns, and `….sql`, every statement that was sent to PostgreSQL, one a line.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlmodel import SQLModel

from alembic import context as context_of_migrations
from medonline.storage import tables  # noqa: F401  (fills the metadata)

_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_seen: set[str] = set()


@event.listens_for(Engine, "before_cursor_execute")
def _see(connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    text = " ".join(statement.split())
    built = context is not None and context.compiled is not None  # not what a test wrote by hand
    migrates = getattr(context_of_migrations, "_proxy", None) is not None
    if built and not migrates and connection.dialect.name == "postgresql" and text.startswith(_VERBS):
        _seen.add(text)


def pytest_sessionfinish() -> None:
    """Write the files."""
    to = os.environ["RECORD_TO"]
    columns = {
        table.name: {
            column.name: {
                "type": type(column.type).__name__,
                "null": bool(column.nullable),
                **({"key": True} if column.primary_key else {}),
                **({"of": next(iter(column.foreign_keys)).target_fullname} if column.foreign_keys else {}),
            }
            for column in table.columns
        }
        for table in SQLModel.metadata.sorted_tables
    }
    Path(f"{to}.json").write_text(json.dumps(columns, indent=1) + "\n", encoding="utf-8")
    Path(f"{to}.sql").write_text("\n".join(sorted(_seen)) + "\n", encoding="utf-8")
