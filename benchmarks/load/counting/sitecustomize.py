"""Counts a server's statements and commits, and sets its clock. Python imports this at its start when the folder is in PYTHONPATH.

Each process writes its own files in the folder that COUNT_STATEMENTS_IN names. `PID.counts` holds three numbers of 64 bits: statements,
begins of transactions and commits. With COUNT_STATEMENT_TEXTS, `PID.texts` holds one statement per line. CLOCK_AHEAD_S says by how many
seconds the portal's clock is ahead of the machine's; a negative number means behind.
"""

from __future__ import annotations

import mmap
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

STATEMENTS, BEGINS, COMMITS = range(3)


def count_in(folder: Path, *, with_texts: bool) -> None:
    """Count the statements of every engine of this process."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    file = folder / f"{os.getpid()}.counts"
    file.write_bytes(bytes(8 * 3))
    with file.open("r+b") as opened:
        # Shared memory: whoever maps the file sees the numbers without any call.
        counts = memoryview(mmap.mmap(opened.fileno(), 0)).cast("Q")
    texts = (folder / f"{os.getpid()}.texts").open("a", buffering=1) if with_texts else None

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counts[BEGINS if statement.startswith("BEGIN") else STATEMENTS] += 1
        if texts is not None:
            texts.write(" ".join(statement.split()) + "\n")

    def committing(_connection: Any) -> None:
        counts[COMMITS] += 1
        if texts is not None:
            texts.write("COMMIT\n")

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "commit", committing)


def set_clock(ahead: timedelta) -> None:
    """Set the clock. Call it before any module of the portal is imported that keeps a reference to the clock."""
    from medonline.services import clock

    clock.utc_now = lambda: datetime.now(UTC) + ahead


if "CLOCK_AHEAD_S" in os.environ:
    set_clock(timedelta(seconds=float(os.environ["CLOCK_AHEAD_S"])))
if "COUNT_STATEMENTS_IN" in os.environ:
    count_in(Path(os.environ["COUNT_STATEMENTS_IN"]), with_texts="COUNT_STATEMENT_TEXTS" in os.environ)
