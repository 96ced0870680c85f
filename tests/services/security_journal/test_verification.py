"""The chain: what a stranger to the key changes is found, what is past its time goes and leaves it whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.cli.security_journal import KnownRow
from medonline.domain.errors import InvalidCredentials
from medonline.domain.security_journal import JournalEvent as Event
from medonline.logs.setup import cut
from medonline.services.crypto.tokens import token_hash
from medonline.services.security_journal.verification import KEPT_AT_LEAST, JournalBroken
from medonline.storage.queries.security_journal import Head, append, line_of
from medonline.storage.tables.security_journal import JournalCheckpoint
from tests.services.outside import dump
from tests.services.security_journal.rows import is_whole, rows
from tests.services.world import ANNA, BORIS, KNOWN, MovableClock, another_connection, opened, sign_in


def tamper(folder: Path, *statements: str) -> None:
    """As somebody who owns the database: triggers are no obstacle."""
    with another_connection(folder) as connection:
        if connection.dialect.name == "sqlite":
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
            without = [f"DROP TRIGGER {name}" for name in names]
        else:
            without = ["SET session_replication_role = replica"]
        for statement in (*without, *statements):
            connection.exec_driver_sql(statement)


COLUMNS = ("at", "event", "patient_id", "phone_index", "phone_tail", "network", "details", "previous", "key_id", "hash")


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_changed_row_is_found(portal: Portal, folder: Path, column: str) -> None:
    await sign_in(portal, ANNA)
    await sign_in(portal, BORIS)
    head = await portal.journal_keeper.head()
    other = {"at": "'2026-03-01 11:59:59.999999'", "details": '\'{"device": "Opera"}\''}.get(column, "'changed'")
    tamper(folder, f"UPDATE security_journal SET {column} = {other} WHERE seq = {head.seq - 1}")

    found = await portal.journal_keeper.examine()
    assert f"Row {head.seq - 1}" in found.fault
    assert found.head.seq == head.seq - 2


REWRITTEN: list[tuple[Callable[[int], list[str]], Callable[[int], str]]] = [
    (lambda n: [f"DELETE FROM security_journal WHERE seq = {n - 1}"], lambda n: f"Row {n - 1} is missing"),
    (lambda _: ["DELETE FROM security_journal WHERE seq = 1"], lambda _: "Row 1 is missing"),
    (
        lambda n: [
            f"UPDATE security_journal SET seq = -1 WHERE seq = {n}",
            f"UPDATE security_journal SET seq = {n} WHERE seq = {n - 1}",
            f"UPDATE security_journal SET seq = {n - 1} WHERE seq = -1",
        ],
        lambda n: f"Row {n - 1} is not chained",
    ),
    (
        lambda n: [
            f"DELETE FROM security_journal WHERE seq = {n - 1}",
            f"UPDATE security_journal SET seq = {n - 1}, "
            f"previous = (SELECT hash FROM security_journal WHERE seq = {n - 2}) WHERE seq = {n}",
        ],
        lambda n: f"Row {n - 1} was changed",
    ),
    (
        lambda _: ["INSERT INTO security_journal_checkpoint VALUES (1, '2026-03-01 12:00:00.000000', 'x', 'k', 'x')"],
        lambda _: "The checkpoint of row 1 was made with key k, which is not configured",
    ),
]


@pytest.mark.parametrize(("statements", "sentence"), REWRITTEN)
async def test_a_rewritten_journal_is_found(
    portal: Portal, folder: Path, statements: Callable[[int], list[str]], sentence: Callable[[int], str]
) -> None:
    await sign_in(portal, ANNA)
    await sign_in(portal, BORIS)
    head = await portal.journal_keeper.head()
    tamper(folder, *statements(head.seq))

    assert (await portal.journal_keeper.examine()).fault.startswith(sentence(head.seq))


async def test_rows_cut_off_at_the_end_are_seen_by_a_row_that_was_known(portal: Portal, folder: Path) -> None:
    await sign_in(portal, ANNA)
    known = await portal.journal_keeper.head()
    await sign_in(portal, BORIS)
    assert (await portal.journal_keeper.examine(known)).fault == ""
    other = Head(known.seq, "0" * 64)
    assert (await portal.journal_keeper.examine(other)).fault == f"Row {known.seq} is not the one that was known."
    tamper(folder, f"DELETE FROM security_journal WHERE seq >= {known.seq}")

    assert await is_whole(portal)  # by itself the rest looks whole
    assert (await portal.journal_keeper.examine(known)).fault.startswith(f"Row {known.seq} was known and is gone")


IN_SQLITE = pytest.mark.sqlite
STATEMENTS = [
    "UPDATE security_journal SET network = 'x' WHERE seq = 1",
    "DELETE FROM security_journal WHERE seq = 1",
    "DELETE FROM security_journal",
    pytest.param(
        "INSERT OR REPLACE INTO security_journal SELECT * FROM security_journal WHERE seq = 1", marks=IN_SQLITE
    ),
    pytest.param("UPDATE OR REPLACE security_journal SET seq = 1 WHERE seq = 2", marks=IN_SQLITE),
    "INSERT INTO security_journal SELECT 99, at, event, patient_id, phone_index, phone_tail, network, details, previous, "
    "key_id, hash FROM security_journal WHERE seq = 1",
]


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_the_database_itself_refuses_to_rewrite(portal: Portal, folder: Path, statement: str) -> None:
    await sign_in(portal, ANNA)
    before = dump(folder)
    with another_connection(folder) as connection, pytest.raises(DBAPIError, match="the security journal"):
        connection.exec_driver_sql(statement)

    assert dump(folder) == before


async def test_what_is_past_its_time_goes_and_the_rest_stays_chained(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await sign_in(portal, ANNA)
    old = await portal.journal_keeper.head()
    clock.move(days=portal.config.retention_journal.days, hours=1)
    await sign_in(portal, BORIS)
    young = await portal.journal_keeper.head()

    assert await portal.journal_keeper.forget() == old.seq
    assert await portal.journal_keeper.forget() == 0
    assert [row.seq for row in await rows(portal)] == list(range(old.seq + 1, young.seq + 1))
    for known in (None, young, old):
        assert (await portal.journal_keeper.examine(known)).fault == ""
    assert (await portal.journal_keeper.examine(Head(1, "1" * 64))).skipped
    assert (await portal.journal_keeper.examine(Head(old.seq, "1" * 64))).fault.startswith(f"Row {old.seq} was not")
    clock.move(days=portal.config.retention_journal.days, hours=1)
    await sign_in(portal, ANNA)
    assert await portal.journal_keeper.forget() > 0
    assert (await portal.journal_keeper.examine(Head(old.seq, "1" * 64))).fault.startswith(f"Row {old.seq} was not")
    assert await is_whole(portal)
    await sign_in(portal, ANNA)
    assert await is_whole(portal)
    with another_connection(folder) as connection:
        instead = "OR REPLACE " if connection.dialect.name == "sqlite" else ""
        for statement in (
            "UPDATE security_journal_checkpoint SET seq = 1",
            "DELETE FROM security_journal_checkpoint",
            f"INSERT {instead}INTO security_journal_checkpoint SELECT * FROM security_journal_checkpoint",
            "INSERT INTO security_journal_checkpoint VALUES (2147483647, '2026-03-01', 'x', 'k', 'x')",
        ):
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql(statement)


async def test_with_a_clock_that_is_years_ahead_nothing_goes(portal: Portal, clock: MovableClock) -> None:
    await sign_in(portal, ANNA)
    clock.move(days=4000)
    assert await portal.journal_keeper.forget() == 0


async def test_a_row_made_to_look_old_does_not_go_and_stays_found(
    portal: Portal, folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Anyone who owns the database must not have the portal itself delete rows and seal a checkpoint for them."""
    await sign_in(portal, ANNA)
    await sign_in(portal, BORIS)
    tamper(folder, "UPDATE security_journal SET at = '2020-01-01 12:00:00.000000' WHERE seq <= 2")
    before = dump(folder)["security_journal"]
    with pytest.raises(JournalBroken):
        await portal.journal_keeper.forget()
    await portal.retention.forget()

    assert "ALARM journal-broken: the security journal is broken" in caplog.text
    assert dump(folder)["security_journal"] == before
    assert (await portal.journal_keeper.examine()).fault == "Row 1 was changed."


async def test_the_last_row_stands_in_the_log_as_the_command_wants_it(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    await sign_in(portal, ANNA)
    with caplog.at_level("INFO"):
        await portal.retention.forget()
    (line,) = [record.getMessage() for record in caplog.records if "journal ends with" in record.getMessage()]
    known = KnownRow().convert(cut(line).rpartition(" ")[2], None, None)

    assert known == await portal.journal_keeper.head()
    assert (await portal.journal_keeper.examine(known)).fault == ""


async def test_a_setting_cannot_shorten_it_to_nothing(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, retention_journal="1 s") as portal:
        await sign_in(portal, ANNA)
        clock.move(seconds=(KEPT_AT_LEAST - timedelta(hours=25)).total_seconds())
        assert await portal.journal_keeper.forget() == 0


async def test_nobody_without_the_key_can_pretend_that_rows_were_past_their_time(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await sign_in(portal, ANNA)
    clock.move(days=portal.config.retention_journal.days, hours=1)
    await sign_in(portal, BORIS)
    await portal.journal_keeper.forget()
    with portal.database.reading() as session:
        mark = session.exec(select(JournalCheckpoint)).one()
    head = await portal.journal_keeper.head()
    forged = f"INSERT INTO security_journal_checkpoint SELECT {head.seq}, at, '{head.hash}', key_id, seal "
    tamper(folder, forged + "FROM security_journal_checkpoint", f"DELETE FROM security_journal WHERE seq <= {head.seq}")

    assert mark.seq < head.seq
    assert (await portal.journal_keeper.examine()).fault == f"The checkpoint of row {head.seq} was changed."


async def test_an_older_key_makes_no_row_after_one_of_the_current_key(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    """The older key stays configured for years: anyone who got it must not rewrite what came after it."""
    await sign_in(portal, ANNA)
    old_key = portal.config.secret_key.get_secret_value()
    async with opened(folder, clock, secret_key="n" * 40, old_secret_keys=old_key) as rotated:
        await sign_in(rotated, ANNA)
        row = (await rows(rotated))[-1]
        line = replace(
            line_of(row), seq=row.seq + 1, previous=row.hash, key_id=portal.journal_keeper.chain.hashes.key_id
        )
        with portal.database.writing() as session:  # what the portal itself refuses to write
            append(session, line, portal.journal_keeper.chain.hashes.index(line.text()))
        found = await rotated.journal_keeper.examine()
        assert found.fault.endswith("was made with an older key after a row of the current one.")


async def test_a_new_key_goes_on_with_the_chain_of_the_old_one(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await sign_in(portal, ANNA)
    new_key = "n" * 40
    old_key = portal.config.secret_key.get_secret_value()
    async with opened(folder, clock, secret_key=new_key, old_secret_keys=old_key) as rotated:
        key = token_hash(await sign_in(rotated, BORIS))
        assert await is_whole(rotated)
        with pytest.raises(InvalidCredentials):
            await rotated.login.log_in(BORIS, KNOWN, "NotMyPassword1")
        events = [row.event for row in (await rotated.journal.mine(key)).rows]
        assert events.count(Event.SIGN_IN_REFUSED) == 1
    async with opened(folder, clock, secret_key=new_key) as without_the_old:
        found = await without_the_old.journal_keeper.examine()
        assert found.fault.startswith("Row 1 was made with key ")
        assert "MEDONLINE_OLD_SECRET_KEYS" in found.fault


async def test_an_operator_gets_every_row_in_order(portal: Portal) -> None:
    await sign_in(portal, ANNA)
    told = [row async for row in portal.journal_keeper.everything()]

    assert [row["seq"] for row in told] == [row.seq for row in await rows(portal)]
    assert told[-1]["event"] == Event.SIGNED_IN
    assert told[-1]["details"] == {"method": "password"}
