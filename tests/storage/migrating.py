"""Walks through the revisions with rows of the first one, and the comparison of a schema with the tables of the code."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from alembic import command
from medonline.bootstrap import build_portal
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.crypto.tokens import token_hash
from medonline.storage import migrations
from medonline.storage.engine import Database
from tests.services.world import ANNA, BORIS, START, MovableClock, config_in


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'medonline.sqlite3'}"


def schema_of(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "medonline.sqlite3") as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return dict(rows)


async def downgrade(url: str, revision: str = "base") -> None:
    await asyncio.to_thread(command.downgrade, migrations.alembic_config(url), revision)


async def upgrade(url: str, revision: str) -> None:
    await asyncio.to_thread(command.upgrade, migrations.alembic_config(url), revision)


# A portal as 0001 left it: a patient with a password, two sessions, a ticket, a recovery whose phone is proved.
AT_0001 = {
    "patient": {
        "id": "p1",
        "phone": "+79000001001",
        "last_name": "Иванова",
        "first_name": "Мария",
        "patronymic": "Петровна",
        "birth_date": "1958-05-21",
        "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
        "password_changed_at": "2026-02-01 09:00:00.000000",
        "phone_proved_at": "2026-02-01 09:00:00.000000",
        "created_at": "2026-01-01 09:00:00.000000",
    },
    "account_session": {
        "token_hash": token_hash("a-token"),
        "patient_id": "p1",
        "method": "password",
        "created_at": "2026-03-02 11:50:00.000000",
        "last_seen_at": "2026-03-02 11:55:00.000000",
        "ended_at": None,
    },
    "login_ticket": {
        "ticket_hash": token_hash("a-ticket"),
        "visitor_key": ANNA.visitor_key,
        "patient_id": "p1",
        "method": "password",
        "password_changed_at": "2026-02-01 09:00:00.000000",
        "expires_at": "2026-03-02 12:00:20.000000",
        "used_at": None,
    },
    "password_recovery": {
        "id": "r1",
        "visitor_key": BORIS.visitor_key,
        "phone": "+79000001001",
        "step": "new_password",
        "patient_id": "p1",
        "created_at": "2026-03-02 11:50:00.000000",
        "proved_at": "2026-03-02 11:55:00.000000",
        "finished_at": None,
        "left_at": None,
    },
    "one_time_code": {
        "id": "c1",
        "flow_id": "r1",
        "purpose": "password_recovery",
        "phone": "+79000001001",
        "channel": "flash_call",
        "digest": "d" * 64,
        "client_ip": "192.0.2.1",
        "issued_at": "2026-03-02 11:50:00.000000",
        "expires_at": "2026-03-02 11:55:00.000000",
        "misses": 1,
        "confirmed_at": "2026-03-02 11:55:00.000000",
        "replaced_at": None,
        "delivery": "delivered",
        "problem": "",
        "provider": "ucaller",
        "provider_ref": "1",
        "attempts": 1,
        "due_at": None,
    },
}


async def put_rows_of_0001(url: str) -> None:
    """Insert as 0001 knew its tables."""
    database = Database(url)
    with database.writing() as session:
        connection = session.connection()
        for table, row in AT_0001.items():
            # As literals: PostgreSQL reads texts as dates and times only there.
            values = ", ".join("NULL" if value is None else f"'{value}'" for value in row.values())
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"))
    await database.close()


# Columns of 0001 that the newest revision does not have; the way back fills them in.
GONE = {("login_ticket", "password_changed_at")}


async def rows_as_0001_knew_them(url: str, *, at_head: bool = False) -> dict[str, list[tuple[str, ...]]]:
    """Every row, by table. `at_head`: without the columns that are gone there."""
    database = Database(url)
    found = {}
    with database.reading() as session:
        connection = session.connection()
        for table, row in AT_0001.items():
            columns = [name for name in row if not (at_head and (table, name) in GONE)]
            rows = connection.execute(text(f"SELECT {', '.join(columns)} FROM {table}"))
            found[table] = [tuple(map(str, values)) for values in rows]
    await database.close()
    return found


async def walk_with_rows(url: str, folder: Path) -> None:
    """0001 with rows → the newest, used by the portal → 0001 → the newest: what was there stays."""
    await upgrade(url, "0001")
    await put_rows_of_0001(url)
    at_0001 = await rows_as_0001_knew_them(url)
    before = await rows_as_0001_knew_them(url, at_head=True)
    assert all(len(rows) == 1 for rows in at_0001.values())
    await upgrade(url, "head")
    assert await rows_as_0001_knew_them(url, at_head=True) == before
    await downgrade(url, "0001")
    assert await rows_as_0001_knew_them(url) == at_0001
    await upgrade(url, "head")

    clock = MovableClock(START + timedelta(days=1))
    portal = build_portal(config_in(folder, database_url=url), clock)
    try:
        who = await portal.login.who(token_hash("a-token"))
        assert who is not None
        assert (who.full_name, who.authenticated_at) == ("Иванова Мария Петровна", clock.now - timedelta(minutes=10))
        recovery = await portal.recovery.current(BORIS)
        assert recovery is not None
        assert recovery.step is RecoveryStep.NEW_PASSWORD
        opened = await portal.login.open_session(ANNA, "a-ticket")
        assert opened is not None
        assert opened.landing == "cards"
        await portal.login.close_session(token_hash(opened.token))
        with portal.database.writing() as session:
            session.connection().execute(
                text("DELETE FROM account_session WHERE token_hash <> :own"), {"own": token_hash("a-token")}
            )
    finally:
        await portal.close()

    after_use = await rows_as_0001_knew_them(url, at_head=True)
    assert after_use["patient"] == before["patient"]
    await downgrade(url, "0001")
    assert await rows_as_0001_knew_them(url, at_head=True) == after_use
    await upgrade(url, "head")
    assert await rows_as_0001_knew_them(url, at_head=True) == after_use


async def differences(url: str) -> list[tuple[object, ...]]:
    def compare(connection: Connection) -> list[tuple[object, ...]]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    database = Database(url)
    try:
        with database.engine.connect() as connection:
            return compare(connection)
    finally:
        await database.close()
