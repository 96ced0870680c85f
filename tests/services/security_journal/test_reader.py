"""What a patient is shown of their own part."""

from __future__ import annotations

from typing import Any

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import InvalidCredentials, NotSignedIn
from medonline.domain.security_journal import JournalEvent as Event
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.security_journal.reader import PAGE
from medonline.services.security_journal.writer import JournalNote
from tests.services.security_journal.rows import NEW_PASSWORD, is_whole, rows
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    UNKNOWN,
    MovableClock,
    at,
    last_code,
    patient_with,
    prove,
    sign_in,
    signed_in,
)


async def test_a_patient_reads_their_own_part_the_newest_first(portal: Portal) -> None:
    mine = token_hash(await sign_in(portal, ANNA))
    theirs = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
    await portal.recovery.begin(Client(visitor_key="c" * 64, address="198.51.100.7"), KNOWN, CALL)
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
        with portal.database.writing() as session:
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
    await portal.recovery.begin(Client(visitor_key="c" * 64), UNKNOWN, CALL)
    clock.move(hours=1)
    key = token_hash(await sign_in(portal, ANNA))
    await portal.settings.save(signed_in(key), SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), CALL)
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
            await portal.login.log_in(Client(visitor_key="d" * 64, address="198.51.100.7"), KNOWN, "NotMyPassword1")
        clock.move(minutes=16)
    key = token_hash(await sign_in(portal, ANNA, password=NEW_PASSWORD))
    seen = await portal.journal.mine(key)

    events = [(row.event, row.times) for row in seen.rows]
    assert events[:3] == [(Event.SIGNED_IN, 1), (Event.SIGN_IN_REFUSED, 2 * PAGE), (Event.PASSWORD_RECOVERED, 1)]
    assert not seen.more


async def test_with_a_clock_set_back_a_numbers_past_is_not_shown(portal: Portal, clock: MovableClock) -> None:
    clock.move(hours=2)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(at(BORIS, "198.51.100.7"), UNKNOWN, "NotMyPassword1")
    clock.move(hours=-2)
    key = token_hash(await sign_in(portal, ANNA))
    await portal.settings.save(signed_in(key), SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), CALL)
    await portal.settings.confirm_phone(key, await last_code(portal, UNKNOWN))

    assert Event.SIGN_IN_REFUSED not in [row.event for row in (await portal.journal.mine(key)).rows]


async def test_a_row_of_a_newer_version_is_shown_all_the_same(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    patient = await patient_with(portal)
    with portal.database.writing() as session:
        portal.login.journal.note(session, JournalNote("of_tomorrow", patient.id))  # type: ignore[arg-type]

    assert (await portal.journal.mine(key)).rows[0].event is Event.OTHER


async def test_an_erased_patients_rows_stay_and_lead_nowhere(portal: Portal) -> None:
    patient = await patient_with(portal)
    await sign_in(portal, ANNA)
    told = await portal.desk.personal_data.export(KNOWN)
    assert [row["event"] for row in told["security_journal"]] == [Event.ACCOUNT_MADE, Event.SIGNED_IN]
    assert all("hash" not in row and "phone_index" not in row for row in told["security_journal"])
    await portal.desk.personal_data.erase(KNOWN)

    own: list[Any] = [row.event for row in await rows(portal) if row.patient_id == patient.id]
    assert own == [Event.ACCOUNT_MADE, Event.SIGNED_IN, Event.DATA_EXPORTED, Event.DATA_ERASED]
    assert await is_whole(portal)
