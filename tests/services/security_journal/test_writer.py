"""The security journal (I5): every accepted thing has a row, the chain is whole, and nothing in it can be rewritten unseen."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from medonline.bootstrap import Portal
from medonline.cli.security_journal import _known
from medonline.domain.device import Device
from medonline.domain.errors import BirthDateMismatch, CodeMismatch, InvalidCredentials, NotSignedIn
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent as Event
from medonline.domain.security_journal import details_of
from medonline.logs.setup import cut
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.login.password_login import OpenedSession
from medonline.services.security_journal.reader import PAGE
from medonline.services.security_journal.verification import KEPT_AT_LEAST, JournalBroken
from medonline.services.security_journal.writer import JournalNote
from medonline.storage.queries.security_journal import Head
from medonline.storage.tables.security_journal import JournalCheckpoint, JournalEntry
from tests.services.outside import VERA, ScriptedIdentity, arrive, dump, with_provider
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    patient_with,
    prove,
    sign_in,
    wrong,
)

NEW_PASSWORD = "KorablLipa47"
PHONE_OF_ANNA = Device("Chrome, Android", "203.0.113.x")
SESSION_ROW = "medonline.sqlite3"


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def rows(portal: Portal) -> list[JournalEntry]:
    async with portal.database.reading() as session:
        return list((await session.exec(select(JournalEntry).order_by(col(JournalEntry.seq)))).all())


async def news(portal: Portal, since: int) -> list[tuple[str, dict[str, str | int]]]:
    """What was written after a row."""
    return [(row.event, details_of(row.details)) for row in await rows(portal) if row.seq > since]


async def last(portal: Portal) -> int:
    return (await portal.journal_keeper.head()).seq


async def is_whole(portal: Portal) -> bool:
    return (await portal.journal_keeper.examine()).fault == ""


def tamper(folder: Path, *statements: str) -> None:
    """As somebody who owns the database: triggers are no obstacle."""
    with closing(sqlite3.connect(folder / SESSION_ROW)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


# --- what is written down ---------------------------------------------------------------------------------------


async def test_a_sign_in_and_its_end_are_written_down(portal: Portal) -> None:
    patient, before = await patient_with(portal), await last(portal)
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    assert await news(portal, before) == []  # not signed in yet: the ticket may never be traded
    session = await portal.login.open_session(ANNA, ticket, PHONE_OF_ANNA)
    assert session is not None
    await portal.login.close_session(token_hash(session.token))
    await portal.login.close_session(token_hash(session.token))  # ends nothing

    assert await news(portal, before) == [
        (Event.SIGNED_IN, {"method": "password", "device": "Chrome, Android"}),
        (Event.SIGNED_OUT, {"device": "Chrome, Android"}),
    ]
    new = [row for row in await rows(portal) if row.seq > before]
    assert {(row.patient_id, row.network) for row in new} == {(patient.id, "203.0.113.x")}
    assert await is_whole(portal)


async def test_a_recovery_is_written_down_from_the_code_to_the_password(portal: Portal) -> None:
    patient, before = await patient_with(portal), await last(portal)
    await sign_in(portal, BORIS)
    await portal.recovery.begin(ANNA, KNOWN, CALL, "198.51.100.7")
    code = await last_code(portal)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, wrong(code))
    await portal.recovery.confirm_code(ANNA, code)
    await portal.recovery.set_password(ANNA, NEW_PASSWORD, PHONE_OF_ANNA)
    await portal.recovery.set_password(ANNA, NEW_PASSWORD, PHONE_OF_ANNA)  # submitted twice

    code_facts = {"channel": "flash_call", "purpose": "password_recovery"}
    assert (await news(portal, before))[1:] == [
        (Event.CODE_ASKED, code_facts),
        (Event.CODE_REFUSED, code_facts),
        (Event.CODE_ACCEPTED, code_facts),
        (Event.PASSWORD_RECOVERED, {"channel": "flash_call", "sessions": 1, "device": "Chrome, Android"}),
    ]
    asked, refused, accepted, recovered = [row for row in await rows(portal) if row.seq > before][1:]
    assert (asked.patient_id, asked.network, asked.phone_tail) == ("", "198.51.100.x", "01")
    assert asked.phone_index == refused.phone_index == accepted.phone_index == recovered.phone_index
    assert recovered.patient_id == patient.id


async def test_settings_are_written_down_one_row_for_each_kind(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    other = token_hash(await sign_in(portal, BORIS))
    before = await last(portal)
    form = SettingsForm(KNOWN, "m@example.ru", "Иванова", "Марья", NEW_PASSWORD, NEW_PASSWORD)
    await portal.settings.save(key, form, CALL)
    await portal.settings.save(key, replace(form, password="", password_confirmation=""), CALL)  # nothing new
    assert await portal.login.who(other) is None

    assert sorted(await news(portal, before)) == [
        (Event.EMAIL_CHANGED, {}),
        (Event.NAME_CHANGED, {}),
        (Event.PASSWORD_CHANGED, {"sessions": 1}),
    ]


async def test_a_new_phone_is_written_down_when_it_is_proved_with_the_end_of_the_old_one(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    before = await last(portal)
    await portal.settings.save(key, SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), TELEGRAM)
    await portal.settings.confirm_phone(key, await last_code(portal, UNKNOWN))

    assert await news(portal, before) == [
        (Event.CODE_ASKED, {"channel": "telegram", "purpose": "account_phone"}),
        (Event.CODE_ACCEPTED, {"channel": "telegram", "purpose": "account_phone"}),
        (Event.PHONE_CHANGED, {"old_tail": KNOWN[-2:]}),
    ]


async def test_a_registration_is_written_down_with_its_consent(portal: Portal) -> None:
    before = await last(portal)
    assert isinstance(await arrive(portal, ANNA, consent=VERSION), OpenedSession)
    assert isinstance(await arrive(portal, BORIS), OpenedSession)

    where = {"device": "Firefox, Linux"}
    assert await news(portal, before) == [
        (Event.CONSENT_GIVEN, {"version": VERSION, **where}),
        (Event.REGISTERED, where),
        (Event.SIGNED_IN, {"method": "gosuslugi", **where}),
        (Event.SIGNED_IN, {"method": "gosuslugi", **where}),
    ]


async def test_a_link_by_proof_is_written_down(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(VERA, phone=KNOWN, birth_date=None, snils="", first_name="Мария"))
    before = await last(portal)
    await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD, device=PHONE_OF_ANNA)

    assert await news(portal, before) == [(Event.IDENTITY_LINKED, {"how": "password", "device": "Chrome, Android"})]


async def test_a_link_by_rule_is_written_down(portal: Portal) -> None:
    patient = await patient_with(portal, OTHER_KNOWN)
    same = replace(
        VERA,
        phone=OTHER_KNOWN,
        snils="",
        birth_date=patient.birth_date,
        last_name=patient.last_name,
        first_name=patient.first_name,
    )
    before = await last(portal)
    assert isinstance(await arrive(portal, ANNA, same), OpenedSession)

    events = [event for event, _ in await news(portal, before)]
    assert events == [Event.IDENTITY_LINKED, Event.SIGNED_IN]


async def test_ending_sessions_and_proving_again_are_written_down(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    for visitor in (BORIS, "c" * 64):
        await sign_in(portal, visitor)
    before = await last(portal)
    one = next(view for view in await portal.sessions.everywhere(key) if not view.mine)
    await portal.sessions.end(key, one.number)
    await portal.sessions.end(key, one.number)  # ended already
    await portal.sessions.end_others(key)
    await portal.sessions.end_others(key)  # nobody left
    with pytest.raises(InvalidCredentials):
        await portal.sessions.prove_again(key, "NotMyPassword1")
    await portal.sessions.prove_again(key, PASSWORD)

    assert await news(portal, before) == [
        (Event.SESSION_ENDED, {}),
        (Event.OTHER_SESSIONS_ENDED, {"sessions": 1}),
        (Event.SIGN_IN_REFUSED, {}),
        (Event.REAUTHENTICATED, {}),
    ]


async def test_a_refused_sign_in_is_written_down_alike_for_known_and_unknown_phones(portal: Portal) -> None:
    before = await last(portal)
    for phone in (KNOWN, UNKNOWN):
        with pytest.raises(InvalidCredentials):
            await portal.login.log_in(ANNA, phone, "NotMyPassword1", "198.51.100.7")

    known, unknown = [row for row in await rows(portal) if row.seq > before]
    for row in (known, unknown):
        assert (row.event, row.patient_id, row.details) == (Event.SIGN_IN_REFUSED, "", "{}")
    assert known.phone_index != unknown.phone_index


async def test_what_is_rolled_back_is_not_written_down(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    patient = await patient_with(portal)
    with suppress(KeyError):
        async with portal.database.writing() as session:
            portal.login.journal.note(session, JournalNote(Event.SIGNED_IN, patient.id))
            await session.flush()
            raise KeyError

    assert dump(folder) == before


async def test_without_its_row_nothing_is_done(portal: Portal, folder: Path) -> None:
    """A journal that cannot be written stops what it should tell of: never a change without a row (I5)."""
    with closing(sqlite3.connect(folder / SESSION_ROW)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON security_journal BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    before = dump(folder)
    with pytest.raises(Exception, match="the disk is full"):
        await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert dump(folder) == before


async def test_no_secret_and_no_whole_phone_stands_in_it(portal: Portal) -> None:
    await prove(portal, ANNA)
    code = await last_code(portal)
    await portal.recovery.set_password(ANNA, NEW_PASSWORD, PHONE_OF_ANNA)
    token = await sign_in(portal, ANNA, password=NEW_PASSWORD)
    text = "\n".join(repr(row.model_dump()) for row in await rows(portal))

    for secret in (f"'{code}'", NEW_PASSWORD, token, token_hash(token), KNOWN, KNOWN[2:], "Иванова"):
        assert secret not in text


# --- the chain --------------------------------------------------------------------------------------------------


async def test_writers_at_once_leave_no_gap(portal: Portal) -> None:
    before = await last(portal)
    patient = await patient_with(portal)

    async def write(number: int) -> None:
        async with portal.database.writing() as session:
            portal.login.journal.note(session, JournalNote(Event.SIGNED_IN, patient.id, details={"n": number + 1}))

    await asyncio.gather(*(write(number) for number in range(40)))

    assert [row.seq for row in await rows(portal)] == list(range(1, before + 41))
    assert await is_whole(portal)


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


STATEMENTS = [
    "UPDATE security_journal SET network = 'x' WHERE seq = 1",
    "DELETE FROM security_journal WHERE seq = 1",
    "DELETE FROM security_journal",
    "INSERT OR REPLACE INTO security_journal SELECT * FROM security_journal WHERE seq = 1",
    "UPDATE OR REPLACE security_journal SET seq = 1 WHERE seq = 2",
    "INSERT INTO security_journal SELECT 99, at, event, patient_id, phone_index, phone_tail, network, details, previous, "
    "key_id, hash FROM security_journal WHERE seq = 1",
]


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_the_database_itself_refuses_to_rewrite(portal: Portal, folder: Path, statement: str) -> None:
    await sign_in(portal, ANNA)
    before = dump(folder)
    with closing(sqlite3.connect(folder / SESSION_ROW)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)

    assert dump(folder) == before


# --- time and keys ----------------------------------------------------------------------------------------------


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
    with closing(sqlite3.connect(folder / SESSION_ROW)) as connection:
        for statement in (
            "UPDATE security_journal_checkpoint SET seq = 1",
            "DELETE FROM security_journal_checkpoint",
            "INSERT OR REPLACE INTO security_journal_checkpoint SELECT * FROM security_journal_checkpoint",
            "INSERT INTO security_journal_checkpoint VALUES (2147483647, '2026-03-01', 'x', 'k', 'x')",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)


async def test_with_a_clock_that_is_years_ahead_nothing_goes(portal: Portal, clock: MovableClock) -> None:
    await sign_in(portal, ANNA)
    clock.move(days=4000)
    assert await portal.journal_keeper.forget() == 0


async def test_a_row_made_to_look_old_does_not_go_and_stays_found(
    portal: Portal, folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever owns the database must not have the portal itself delete rows and seal a checkpoint for them."""
    await sign_in(portal, ANNA)
    await sign_in(portal, BORIS)
    tamper(folder, "UPDATE security_journal SET at = '2020-01-01 12:00:00.000000' WHERE seq <= 2")
    before = dump(folder)["security_journal"]
    with pytest.raises(JournalBroken):
        await portal.journal_keeper.forget()
    await portal.retention.forget()

    assert "ALARM the security journal is broken" in caplog.text
    assert dump(folder)["security_journal"] == before
    assert (await portal.journal_keeper.examine()).fault == "Row 1 was changed."


async def test_the_last_row_stands_in_the_log_as_the_command_wants_it(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    await sign_in(portal, ANNA)
    with caplog.at_level("INFO"):
        await portal.retention.forget()
    (line,) = [record.getMessage() for record in caplog.records if "journal ends with" in record.getMessage()]
    known = _known(cut(line).rpartition(" ")[2])

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
    async with portal.database.reading() as session:
        mark = (await session.exec(select(JournalCheckpoint))).one()
    head = await portal.journal_keeper.head()
    forged = f"INSERT INTO security_journal_checkpoint SELECT {head.seq}, at, '{head.hash}', key_id, seal "
    tamper(folder, forged + "FROM security_journal_checkpoint", f"DELETE FROM security_journal WHERE seq <= {head.seq}")

    assert mark.seq < head.seq
    assert (await portal.journal_keeper.examine()).fault == f"The checkpoint of row {head.seq} was changed."


async def test_an_older_key_makes_no_row_after_one_of_the_current_key(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    """The older key stays configured for years: whoever got it must not rewrite what came after it."""
    await sign_in(portal, ANNA)
    old_key = portal.config.secret_key.get_secret_value()
    async with opened(folder, clock, secret_key="n" * 40, old_secret_keys=old_key) as rotated:
        await sign_in(rotated, ANNA)
        await sign_in(portal, BORIS)  # by the older key
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


# --- who reads it -----------------------------------------------------------------------------------------------


async def test_a_patient_reads_their_own_part_the_newest_first(portal: Portal) -> None:
    mine = token_hash(await sign_in(portal, ANNA))
    theirs = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
    await portal.recovery.begin("c" * 64, KNOWN, CALL, "198.51.100.7")
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(ANNA, OTHER_KNOWN, "NotMyPassword1")

    seen = await portal.journal.mine(mine)
    assert [row.event for row in seen.rows] == [Event.CODE_ASKED, Event.SIGNED_IN, Event.ACCOUNT_MADE]
    assert not seen.more
    others = await portal.journal.mine(theirs)
    assert [row.event for row in others.rows] == [Event.SIGN_IN_REFUSED, Event.SIGNED_IN, Event.ACCOUNT_MADE]
    for key in ("", "0" * 64):
        with pytest.raises(NotSignedIn):
            await portal.journal.mine(key)


async def test_a_long_journal_comes_in_pages_without_a_row_lost_or_twice(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    patient = await patient_with(portal)
    for _ in range(2 * PAGE):
        async with portal.database.writing() as session:
            portal.login.journal.note(session, JournalNote(Event.SIGNED_IN, patient.id))
    numbers: list[int] = []
    before = 0
    while True:
        page = await portal.journal.mine(key, before)
        numbers += [row.number for row in page.rows]
        before = numbers[-1]
        if not page.more:
            break

    own = [row.seq for row in await rows(portal) if row.patient_id == patient.id]
    assert numbers == sorted(own, reverse=True)
    assert len(numbers) == 2 * PAGE + 2


async def test_what_happened_to_a_number_before_it_was_ones_own_is_not_shown(
    portal: Portal, clock: MovableClock
) -> None:
    await portal.recovery.begin("c" * 64, UNKNOWN, CALL)
    clock.move(hours=1)
    key = token_hash(await sign_in(portal, ANNA))
    await portal.settings.save(key, SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), CALL)
    clock.move(minutes=1)
    await portal.settings.confirm_phone(key, await last_code(portal, UNKNOWN))
    clock.move(minutes=5)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(BORIS, UNKNOWN, "NotMyPassword1")
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(BORIS, KNOWN, "NotMyPassword1")  # no longer theirs

    events = [row.event for row in (await portal.journal.mine(key)).rows]
    assert events.count(Event.CODE_ASKED) == 0
    assert events.count(Event.SIGN_IN_REFUSED) == 1


async def test_what_a_stranger_tries_all_night_is_one_row(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, BORIS)
    await portal.recovery.set_password(BORIS, NEW_PASSWORD)
    for _ in range(2 * PAGE):
        with pytest.raises(InvalidCredentials):
            await portal.login.log_in("d" * 64, KNOWN, "NotMyPassword1", "198.51.100.7")
        clock.move(minutes=16)
    key = token_hash(await sign_in(portal, ANNA, password=NEW_PASSWORD))
    seen = await portal.journal.mine(key)

    events = [(row.event, row.times) for row in seen.rows]
    assert events[:3] == [(Event.SIGNED_IN, 1), (Event.SIGN_IN_REFUSED, 2 * PAGE), (Event.PASSWORD_RECOVERED, 1)]
    assert not seen.more


async def test_wrong_birth_dates_are_written_down(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, step_up="always") as portal:
        for visitor, phone in ((ANNA, KNOWN), (BORIS, UNKNOWN)):
            before = await last(portal)
            await prove(portal, visitor, phone)
            with pytest.raises(BirthDateMismatch):
                await portal.recovery.confirm_birth_date(visitor, "01.01.1990")
            events = [event for event, _ in await news(portal, before)]
            assert events == [Event.CODE_ASKED, Event.CODE_ACCEPTED, Event.BIRTH_DATE_REFUSED]


async def test_with_a_clock_set_back_a_numbers_past_is_not_shown(portal: Portal, clock: MovableClock) -> None:
    clock.move(hours=2)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(BORIS, UNKNOWN, "NotMyPassword1", "198.51.100.7")
    clock.move(hours=-2)
    key = token_hash(await sign_in(portal, ANNA))
    await portal.settings.save(key, SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), CALL)
    await portal.settings.confirm_phone(key, await last_code(portal, UNKNOWN))

    assert Event.SIGN_IN_REFUSED not in [row.event for row in (await portal.journal.mine(key)).rows]


async def test_a_row_of_a_newer_version_is_shown_all_the_same(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    patient = await patient_with(portal)
    async with portal.database.writing() as session:
        portal.login.journal.note(session, JournalNote("of_tomorrow", patient.id))  # type: ignore[arg-type]

    assert (await portal.journal.mine(key)).rows[0].event is Event.OTHER


async def test_the_same_identity_proved_twice_is_one_link_and_one_row(portal: Portal) -> None:
    same = replace(VERA, phone=KNOWN, birth_date=None, snils="", first_name="Мария")
    for visitor in (ANNA, BORIS):
        await arrive(portal, visitor, same)
    before = await last(portal)
    for visitor in (ANNA, BORIS):
        await portal.answers.prove_by_password(visitor, KNOWN, PASSWORD)

    assert [event for event, _ in await news(portal, before)] == [Event.IDENTITY_LINKED]


async def test_an_erased_patients_rows_stay_and_lead_nowhere(portal: Portal) -> None:
    patient = await patient_with(portal)
    await sign_in(portal, ANNA)
    told = await portal.personal_data.export(KNOWN)
    assert [row["event"] for row in told["security_journal"]] == [Event.ACCOUNT_MADE, Event.SIGNED_IN]
    assert all("hash" not in row and "phone_index" not in row for row in told["security_journal"])
    await portal.personal_data.erase(KNOWN)

    own: list[Any] = [row.event for row in await rows(portal) if row.patient_id == patient.id]
    assert own == [Event.ACCOUNT_MADE, Event.SIGNED_IN, Event.DATA_EXPORTED, Event.DATA_ERASED]
    assert await is_whole(portal)


async def test_an_operator_gets_every_row_in_order(portal: Portal) -> None:
    await sign_in(portal, ANNA)
    told = [row async for row in portal.journal_keeper.everything()]

    assert [row["seq"] for row in told] == [row.seq for row in await rows(portal)]
    assert told[-1]["event"] == Event.SIGNED_IN
    assert told[-1]["details"] == {"method": "password"}
