"""The security journal (I5): every accepted thing has a row, the chain is whole, and nothing in it can be rewritten unseen."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidCredentials
from medonline.domain.security_journal import JournalEvent as Event
from medonline.services.crypto.tokens import token_hash
from medonline.services.security_journal.writer import JournalNote
from medonline.storage.engine import at_the_end
from tests.services.outside import dump
from tests.services.security_journal.rows import NEW_PASSWORD, PHONE_OF_ANNA, is_whole, last, rows
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    UNKNOWN,
    MovableClock,
    another_connection,
    at,
    last_code,
    opened,
    patient_with,
    prove,
    sign_in,
)

# --- what is written down ---------------------------------------------------------------------------------------


async def test_a_refused_sign_in_is_written_down_alike_for_known_and_unknown_phones(portal: Portal) -> None:
    before = await last(portal)
    for phone in (KNOWN, UNKNOWN):
        with pytest.raises(InvalidCredentials):
            await portal.login.log_in(at(ANNA, "198.51.100.7"), phone, "NotMyPassword1")

    known, unknown = [row for row in await rows(portal) if row.seq > before]
    for row in (known, unknown):
        assert (row.event, row.patient_id, row.details) == (Event.SIGN_IN_REFUSED, "", "{}")
    assert known.phone_index != unknown.phone_index


async def test_what_is_rolled_back_is_not_written_down(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    patient = await patient_with(portal)
    with suppress(KeyError), portal.database.writing() as session:
        portal.login.journal.note(session, JournalNote(Event.SIGNED_IN, patient.id))
        session.flush()
        raise KeyError

    assert dump(folder) == before


async def test_without_its_row_nothing_is_done(portal: Portal, folder: Path) -> None:
    """A journal that cannot be written stops what it should tell of: never a change without a row (I5)."""
    with another_connection(folder) as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON security_journal BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            if connection.dialect.name == "sqlite"
            else 'ALTER TABLE security_journal ADD CONSTRAINT "the disk is full" CHECK (false) NOT VALID'
        )
    before = dump(folder)
    with pytest.raises(Exception, match="the disk is full"):
        await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert dump(folder) == before


async def test_no_secret_and_no_whole_phone_stands_in_it(portal: Portal) -> None:
    await prove(portal, ANNA)
    code = await last_code(portal)
    await portal.recovery.set_password(replace(ANNA, device=PHONE_OF_ANNA), NEW_PASSWORD)
    token = await sign_in(portal, ANNA, password=NEW_PASSWORD)
    text = "\n".join(repr(row.model_dump()) for row in await rows(portal))

    for secret in (f"'{code}'", NEW_PASSWORD, token, token_hash(token), KNOWN, KNOWN[2:], "Иванова"):
        assert secret not in text


# --- the chain --------------------------------------------------------------------------------------------------


async def test_a_row_follows_the_last_one_of_another_process(portal: Portal, folder: Path, clock: MovableClock) -> None:
    """The portal remembers the row that it wrote last; a command of the operator, another process, has written since."""
    patient = await patient_with(portal)
    async with opened(folder, clock) as command:
        for at in (portal, command, command, portal, portal, command):
            await at.database.write(at.login.journal.note, JournalNote(Event.SIGNED_IN, patient.id))

    assert await is_whole(portal)
    assert [row.event for row in (await rows(portal))[-6:]] == [Event.SIGNED_IN] * 6


async def test_a_row_that_was_rolled_back_is_followed_by_none(portal: Portal) -> None:
    patient = await patient_with(portal)

    def note(session: Session, *, fails: bool) -> None:
        portal.login.journal.note(session, JournalNote(Event.SIGNED_IN, patient.id, details={"n": 2 if fails else 1}))
        if fails:
            at_the_end(session, "after the journal", lambda _session: 1 / 0)

    for fails in (False, True, False, True, True, False):
        with suppress(ZeroDivisionError):
            await portal.database.write(note, fails=fails)

    assert await is_whole(portal)
    assert [row.details for row in (await rows(portal))[-3:]] == ['{"n": 1}'] * 3


async def test_writers_at_once_leave_no_gap(portal: Portal) -> None:
    before = await last(portal)
    patient = await patient_with(portal)

    async def write(number: int) -> None:
        with portal.database.writing() as session:
            portal.login.journal.note(session, JournalNote(Event.SIGNED_IN, patient.id, details={"n": number + 1}))

    await asyncio.gather(*(write(number) for number in range(40)))

    assert [row.seq for row in await rows(portal)] == list(range(1, before + 41))
    assert await is_whole(portal)
