"""Migrations lead from nothing to the tables the code describes, and back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from medonline.storage import migrations, tables
from medonline.storage.engine import Database
from medonline.storage.revisions import Revisions, known, revisions
from tests.storage.migrating import differences, downgrade, schema_of, url_of, walk_with_rows

TABLES = {
    "patient",
    "password_recovery",
    "one_time_code",
    "login_ticket",
    "account_session",
    "account_change",
    "notice",
    "passkey",
    "passkey_challenge",
    "passkey_offer",
    "linked_identity",
    "identity_journey",
    "pending_identity",
    "personal_data_consent",
    "patient_card",
    "card_access",
    "card_attempt",
    "card_refresh",
    "code_miss",
    "circuit_breaker",
    "channel_spending",
    "channel_switch",
    "email_proof",
    "security_journal",
    "security_journal_checkpoint",
    "journal_examination",
}


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
    before = await revisions(database)
    assert before.has is None
    assert before.wants
    assert "run `medonline migrate`" in before.fault
    await migrations.upgrade(url)

    after = await revisions(database)
    assert after == Revisions(before.wants, before.wants)
    assert after.fault == ""
    await database.close()


async def test_the_names_of_the_files_say_which_revisions_there_are(tmp_path: Path) -> None:
    """Commands read the names, because Alembic takes longer to load than most commands take."""
    scripts = ScriptDirectory.from_config(migrations.alembic_config(url_of(tmp_path)))

    assert [one.revision for one in scripts.walk_revisions()] == [*reversed(known())]
    assert scripts.get_current_head() == known()[-1]


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
    tables.channel_switches.ChannelSwitch,
    tables.email_proofs.EmailProof,
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
    tables.passkeys.Passkey,
    tables.passkeys.PasskeyChallenge,
    tables.passkeys.PasskeyOffer,
    tables.gosuslugi.LinkedIdentity,
    tables.gosuslugi.IdentityJourney,
    tables.gosuslugi.PendingIdentity,
    tables.gosuslugi.PersonalDataConsent,
    tables.patient_cards.PatientCard,
    tables.patient_cards.CardAccess,
    tables.patient_cards.CardAttempt,
    tables.patient_cards.CardRefresh,
    tables.security_journal.JournalEntry,
    tables.security_journal.JournalCheckpoint,
    tables.security_journal.JournalExamination,
)
