"""No statement of a patient's journey reads a whole table.

SQLite chooses its plans by the indexes alone (no one runs ANALYZE here), so a plan on a small database is the plan on a large
one. PostgreSQL chooses by the number of rows; forbidden to read tables whole, it does so only where no index serves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import token_hash
from tests.services.statement_counts import send
from tests.services.world import ANNA, CALL, KNOWN, MovableClock, last_code, opened, settled
from tests.storage.postgresql_server import address_of, administer

PASSWORD = "NovyParol2026"
# Read backwards by their index, until a few rows are found.
READS_THE_END = (
    "FROM security_journal ORDER BY security_journal.seq DESC",
    "ORDER BY one_time_code.issued_at DESC LIMIT",  # the sample of the circuit breaker
)
BY_THE_TEST_ITSELF = "FROM one_time_code ORDER BY one_time_code.issued_at"
# A row for each way of getting a code, or for each day and way.
SMALL = ("circuit_breaker", "channel_spending")


@contextmanager
def statements_with_values(portal: Portal) -> Iterator[dict[str, Any]]:
    """Each statement of the journey, with what it was sent with the first time."""
    seen: dict[str, Any] = {}

    def see(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, executemany: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            seen.setdefault(" ".join(statement.split()), (statement, values[0] if executemany else values))

    event.listen(portal.database.engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(portal.database.engine, "before_cursor_execute", see)


async def journey(portal: Portal) -> None:
    """Recover, sign in, look at every page of the account, leave."""
    await portal.recovery.leave_proved(ANNA.visitor_key)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await send(portal)
    await portal.recovery.current(ANNA)
    await portal.recovery.confirm_code(ANNA, await last_code(portal))
    await portal.recovery.set_password(ANNA, PASSWORD)
    await portal.notices.outbox.turn()
    await settled(portal.notices.outbox)
    opened_session = await portal.login.open_session(ANNA, await portal.login.log_in(ANNA, KNOWN, PASSWORD))
    assert opened_session is not None
    key = token_hash(opened_session.token)
    await portal.visitors.leave(ANNA.visitor_key)
    await portal.cards.kept(key)
    await portal.cards.current(key)
    await portal.settings.current(key)
    await portal.identities.all(key)
    await portal.sessions.everywhere(key)
    await portal.sessions.end_others(key)
    await portal.login.close_session(key)


@pytest.fixture
async def walked(portal: Portal) -> dict[str, Any]:
    with statements_with_values(portal) as seen:
        await journey(portal)
    assert len(seen) > 35
    return seen


def is_bounded(text: str) -> bool:
    """A statement that may walk along a table: it ends after a few rows, or is none of the portal's."""
    return any(end in text for end in READS_THE_END) or text.endswith(BY_THE_TEST_ITSELF)


async def test_sqlite_searches_by_an_index(portal: Portal, walked: dict[str, Any]) -> None:
    scans = []
    with portal.database.engine.connect() as connection:
        for text, (statement, values) in walked.items():
            for *_, detail in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values):
                reads_all = detail.startswith("SCAN ") and not detail.startswith(
                    ("SCAN CONSTANT", "SCAN (", "SCAN anon_")
                )
                if reads_all and not is_bounded(text) and not any(name in detail for name in SMALL):
                    scans.append(f"{detail}: {text}")

    assert not scans, "\n".join(scans)


async def test_a_statement_without_an_index_is_found(portal: Portal) -> None:
    with portal.database.engine.connect() as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN SELECT id FROM patient WHERE first_name = 'Мария'").all()

    assert plan[0][-1].startswith("SCAN patient")


async def test_postgresql_has_an_index_for_each(
    postgresql_server: str, postgresql_template: str, tmp_path: Path, clock: MovableClock
) -> None:
    await administer(postgresql_server, f"CREATE DATABASE of_plans TEMPLATE {postgresql_template}")
    scans = await _scans_on_postgresql(address_of(postgresql_server, "of_plans"), tmp_path, clock)
    await administer(postgresql_server, "DROP DATABASE of_plans WITH (FORCE)")

    assert not scans, "\n".join(scans)


async def _scans_on_postgresql(address: str, folder: Path, clock: MovableClock) -> list[str]:
    async with opened(folder, clock, database_url=address) as portal:
        with statements_with_values(portal) as seen:
            await journey(portal)
        scans = []
        with portal.database.engine.connect() as connection:
            connection.exec_driver_sql("SET enable_seqscan = off")
            for text, (statement, values) in seen.items():
                if "pg_advisory" in text or "pg_notify" in text:
                    continue
                (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).one()
                tables = set(_read_whole(plan[0]["Plan"])) - set(SMALL)
                if tables and not is_bounded(text):
                    scans.append(f"{', '.join(sorted(tables))}: {text}")

    assert len(seen) > 35
    return scans


def _read_whole(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from _read_whole(below)
