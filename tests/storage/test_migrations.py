"""Migrations lead from nothing to the tables the code describes, and back."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from alembic import command
from medonline.bootstrap import build_portal
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.crypto.tokens import token_hash
from medonline.storage import migrations, tables
from medonline.storage.engine import Database
from tests.services.world import ANNA, BORIS, START, MovableClock, config_in

TABLES = {
    "patient",
    "password_recovery",
    "one_time_code",
    "login_ticket",
    "account_session",
    "account_change",
    "notice",
    "linked_identity",
    "identity_journey",
    "pending_identity",
    "personal_data_consent",
    "patient_card",
    "card_miss",
    "code_miss",
    "circuit_breaker",
    "channel_spending",
    "security_journal",
    "security_journal_checkpoint",
}


def url_of(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'medonline.sqlite3'}"


def schema_of(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "medonline.sqlite3") as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return dict(rows)


async def downgrade(url: str, revision: str = "base") -> None:
    await asyncio.to_thread(command.downgrade, migrations.alembic_config(url), revision)


async def upgrade(url: str, revision: str) -> None:
    await asyncio.to_thread(command.upgrade, migrations.alembic_config(url), revision)


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
        "visitor_key": ANNA,
        "patient_id": "p1",
        "method": "password",
        "password_changed_at": "2026-02-01 09:00:00.000000",
        "expires_at": "2026-03-02 12:00:20.000000",
        "used_at": None,
    },
    "password_recovery": {
        "id": "r1",
        "visitor_key": BORIS,
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
    async with database.writing() as session:
        connection = await session.connection()
        for table, row in AT_0001.items():
            # As literals: PostgreSQL reads texts as dates and times only there.
            values = ", ".join("NULL" if value is None else f"'{value}'" for value in row.values())
            await connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"))
    await database.close()


async def rows_as_0001_knew_them(url: str) -> dict[str, list[tuple[str, ...]]]:
    database = Database(url)
    found = {}
    async with database.reading() as session:
        connection = await session.connection()
        for table, row in AT_0001.items():
            rows = await connection.execute(text(f"SELECT {', '.join(row)} FROM {table}"))
            found[table] = [tuple(map(str, values)) for values in rows]
    await database.close()
    return found


async def walk_with_rows(url: str, folder: Path) -> None:
    """0001 with rows → the newest, used by the portal → 0001 → the newest: what was there stays."""
    await upgrade(url, "0001")
    await put_rows_of_0001(url)
    before = await rows_as_0001_knew_them(url)
    assert all(len(rows) == 1 for rows in before.values())
    await upgrade(url, "head")
    assert await rows_as_0001_knew_them(url) == before

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
        async with portal.database.writing() as session:
            await (await session.connection()).execute(
                text("DELETE FROM account_session WHERE token_hash <> :own"), {"own": token_hash("a-token")}
            )
    finally:
        await portal.close()

    after_use = await rows_as_0001_knew_them(url)
    assert after_use["patient"] == before["patient"]
    await downgrade(url, "0001")
    assert await rows_as_0001_knew_them(url) == after_use
    await upgrade(url, "head")
    assert await rows_as_0001_knew_them(url) == after_use


async def test_a_database_in_use_at_0001_keeps_its_rows_up_and_down(tmp_path: Path) -> None:
    await walk_with_rows(url_of(tmp_path), tmp_path)

    assert await differences(url_of(tmp_path)) == []


async def test_an_account_without_a_phone_is_not_lost_silently_by_the_way_back(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    await migrations.upgrade(url)
    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        connection.execute(
            "INSERT INTO patient (id, phone, email, last_name, first_name, patronymic, snils_sealed, oms_policy_sealed, "
            "created_at) VALUES ('p2', NULL, '', 'Ли', 'Анна', '', '', '', '2026-03-01 12:00:00.000000')"
        )
    connection.close()
    with pytest.raises(IntegrityError):
        await downgrade(url, "0001")

    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        assert connection.execute("SELECT first_name FROM patient").fetchall() == [("Анна",)]
    connection.close()


TABLE_CLASSES = (
    tables.codes.CodeMiss,
    tables.codes.CircuitBreaker,
    tables.limits.ChannelSpending,
    tables.patients.Patient,
    tables.password_recovery.PasswordRecovery,
    tables.codes.OneTimeCodeRow,
    tables.login.LoginTicket,
    tables.login.AccountSession,
    tables.account_settings.AccountChange,
    tables.notices.Notice,
    tables.gosuslugi.LinkedIdentity,
    tables.gosuslugi.IdentityJourney,
    tables.gosuslugi.PendingIdentity,
    tables.gosuslugi.PersonalDataConsent,
    tables.patient_cards.PatientCard,
    tables.patient_cards.CardMiss,
    tables.security_journal.JournalEntry,
    tables.security_journal.JournalCheckpoint,
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
