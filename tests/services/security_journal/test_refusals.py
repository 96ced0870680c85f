"""Refused sign-ins in the journal: a run of them is few rows with a count, and one load of «Журнал» reads a bounded part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from medonline.bootstrap import Portal
from medonline.domain.device import Device
from medonline.domain.errors import InvalidCredentials
from medonline.domain.security_journal import JournalEvent as Event
from medonline.domain.security_journal import details_of
from medonline.services.crypto.tokens import token_hash
from medonline.services.limits.networks import cut
from medonline.services.security_journal import reader
from medonline.services.security_journal.reader import PAGE, SCAN, SCANS, JournalRow
from medonline.services.security_journal.refusals import PERIOD, RUNS_PER_HOUR, RefusedSignIns
from medonline.storage.tables.security_journal import JournalEntry
from tests.services.security_journal.rows import STRANGER, fill
from tests.services.world import (
    ANNA,
    BORIS,
    KNOWN,
    UNKNOWN,
    MovableClock,
    at,
    opened,
    patient_with,
    sign_in,
    signed_in,
    statements,
)


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    many = {"wrong_passwords_per_account": "100000 per 15 min", "wrong_passwords_per_network": "100000 per 1 min"}
    many |= {"wrong_passwords_in_all": "100000 per 5 min", "sessions_per_account": "100000 per 1 h"}
    async with opened(folder, clock, **many) as portal:
        yield portal


async def refusals(portal: Portal) -> list[JournalEntry]:
    with portal.database.reading() as session:
        statement = select(JournalEntry).where(JournalEntry.event == Event.SIGN_IN_REFUSED)
        return list(session.exec(statement.order_by(col(JournalEntry.seq))).all())


async def counts(portal: Portal) -> list[int]:
    return [int(details_of(row.details).get("times", 1)) for row in await refusals(portal)]


def told(portal: Portal) -> RefusedSignIns:
    return portal.login.refusals


async def miss(portal: Portal, times: int = 1, phone: str = KNOWN, address: str = STRANGER) -> None:
    for _ in range(times):
        await told(portal).note(phone=phone, device=Device(network=cut(address)))


async def read(portal: Portal) -> list[JournalRow]:
    return list((await portal.journal.mine(token_hash(await sign_in(portal, ANNA)))).rows)


@pytest.mark.parametrize("phone", [KNOWN, UNKNOWN], ids=["known", "unknown"])
async def test_a_hundred_wrong_passwords_are_two_rows_with_their_number(
    portal: Portal, clock: MovableClock, phone: str
) -> None:
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(at(BORIS, STRANGER), phone, "NotMyPassword1")
    assert await counts(portal) == [1]  # the first is there at once
    with statements(portal) as seen:
        await miss(portal, 99, phone)
    assert seen == []  # and nothing is written for those that follow it
    clock.move(seconds=PERIOD.total_seconds())
    await told(portal).flush()

    assert await counts(portal) == [1, 99]
    first, rest = await refusals(portal)
    assert (first.phone_index, first.network, first.phone_tail) == (rest.phone_index, "198.51.100.x", phone[-2:])
    assert (await portal.journal_keeper.examine()).fault == ""


async def test_a_run_that_goes_on_for_an_hour_is_a_row_for_each_period(portal: Portal, clock: MovableClock) -> None:
    for _ in range(60):
        await miss(portal, 10)
        clock.move(minutes=1)
    await told(portal).flush(all_of_them=True)

    assert sum(await counts(portal)) == 600
    assert len(await counts(portal)) == 7


async def test_the_patient_reads_the_number_that_it_is_at_this_moment(portal: Portal) -> None:
    await miss(portal, 7)
    await miss(portal, 4, UNKNOWN)
    rows = await read(portal)

    assert [(row.event, row.times) for row in rows[:2]] == [(Event.SIGNED_IN, 1), (Event.SIGN_IN_REFUSED, 7)]
    assert sorted(await counts(portal)) == [1, 1, 6]  # what is about somebody else's number waits on


async def test_wrong_passwords_inside_the_account_are_counted_too(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    for _ in range(4):
        with pytest.raises(InvalidCredentials):
            await portal.sessions.prove_again(signed_in(key, STRANGER), "NotMyPassword1")
    assert await counts(portal) == [1]
    page = await portal.journal.mine(key)

    assert [(row.event, row.times, row.own) for row in page.rows[:1]] == [(Event.SIGN_IN_REFUSED, 4, True)]


async def test_a_spray_over_many_numbers_is_so_many_rows_an_hour_and_one_count(
    portal: Portal, clock: MovableClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medonline.services.security_journal.refusals.RUNS_PER_HOUR", 20)
    for number in range(500):
        await miss(portal, 1, f"+7900{number:07d}")
    await told(portal).flush(all_of_them=True)

    rows = await refusals(portal)
    assert len({row.phone_index for row in rows if row.phone_index}) == 20
    assert len(rows) == 22  # and the first of the others at once, the rest of them as a count
    assert sum(await counts(portal)) == 500
    assert "ALARM" in caplog.text
    clock.move(hours=1)
    await miss(portal, 1, UNKNOWN)
    assert (await refusals(portal))[-1].phone_tail == UNKNOWN[-2:]


def test_a_day_of_refusals_is_bounded() -> None:
    assert RUNS_PER_HOUR * 24 <= 24_000  # 288 000 rows a day before


@pytest.mark.sqlite
async def test_a_database_that_cannot_be_written_to_loses_no_count(portal: Portal, clock: MovableClock) -> None:
    await miss(portal, 3)
    with portal.database.writing() as session:
        session.connection().execute(text("DROP TRIGGER security_journal_leaves_nothing_out"))
        stop = "CREATE TRIGGER stop BEFORE INSERT ON security_journal BEGIN SELECT RAISE(ABORT, 'stop'); END"
        session.connection().execute(text(stop))
    clock.move(minutes=11)
    await miss(portal)
    with portal.database.writing() as session:
        session.connection().execute(text("DROP TRIGGER stop"))
    await miss(portal)

    assert await counts(portal) == [1, 4]


async def test_what_waits_is_written_at_the_end_of_the_process(portal: Portal) -> None:
    await miss(portal, 5)
    running = asyncio.create_task(told(portal).run())
    await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert await counts(portal) == [1, 4]


async def test_a_clock_that_is_set_back_keeps_no_count_waiting(portal: Portal, clock: MovableClock) -> None:
    await miss(portal, 3)
    clock.move(hours=-1)
    await told(portal).flush()

    assert await counts(portal) == [1, 2]


# --- reading a journal that somebody filled ---------------------------------------------------------------------


async def test_a_run_longer_than_a_scan_is_one_row(portal: Portal) -> None:
    await fill(portal, SCAN + 100, Event.SIGN_IN_REFUSED)
    rows = await read(portal)

    assert [(row.event, row.times) for row in rows][:2] == [(Event.SIGNED_IN, 1), (Event.SIGN_IN_REFUSED, SCAN + 100)]
    assert rows[1].at == portal.clock()
    assert rows[-1].event is Event.ACCOUNT_MADE


async def test_one_load_reads_so_many_rows_and_the_next_goes_on_below(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SCAN", 20)
    await fill(portal, 20 * SCANS + 5, Event.SIGN_IN_REFUSED)
    key = token_hash(await sign_in(portal, ANNA))
    with statements(portal) as seen:
        first = await portal.journal.mine(key)
    second = await portal.journal.mine(key, first.rows[-1].number)

    assert len([one for one in seen if "lag(" in one]) == SCANS
    assert [(row.event, row.times) for row in first.rows] == [
        (Event.SIGNED_IN, 1),
        (Event.SIGN_IN_REFUSED, 20 * SCANS - 1),
    ]
    assert first.more
    assert [(row.event, row.times) for row in second.rows] == [(Event.SIGN_IN_REFUSED, 6), (Event.ACCOUNT_MADE, 1)]


async def test_events_that_were_accepted_are_never_folded(portal: Portal) -> None:
    patient = await patient_with(portal)
    await fill(portal, 3, Event.SIGNED_IN, patient_id=patient.id)
    rows = await read(portal)

    assert [row.times for row in rows] == [1] * 5
    assert len({row.number for row in rows}) == 5


async def test_what_differs_in_anything_is_not_one_run(portal: Portal) -> None:
    for address in ("198.51.100.7", "203.0.113.9", "198.51.100.7"):
        await miss(portal, 2, address=address)
        await told(portal).flush(all_of_them=True)
    rows = [row for row in await read(portal) if row.event is Event.SIGN_IN_REFUSED]

    assert [(row.network, row.times) for row in rows] == [
        ("198.51.100.x", 2),
        ("203.0.113.x", 2),
        ("198.51.100.x", 2),
    ]


@pytest.mark.sqlite
async def test_the_newest_rows_are_found_by_an_index_and_no_others_are_read(portal: Portal) -> None:
    await fill(portal, 50, Event.SIGN_IN_REFUSED, Event.CODE_ASKED)
    key = token_hash(await sign_in(portal, ANNA))
    plans: list[str] = []
    with statements(portal) as seen:
        await portal.journal.mine(key)
    with portal.database.reading() as session:
        connection = session.connection()
        for statement in (one for one in seen if "lag(" in one or "event IN" in one):
            asked = statement.replace("?", "1")
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")
            plans += [str(row[-1]) for row in found]

    assert not [line for line in plans if line.startswith("SCAN security_journal") and "USING" not in line], plans
    assert [line for line in plans if "ix_security_journal_phone" in line]
    assert [line for line in plans if "ix_security_journal_patient" in line]


async def test_pages_of_a_filled_journal_lose_no_row(portal: Portal) -> None:
    patient = await patient_with(portal)
    await fill(portal, 2 * PAGE, Event.SIGNED_IN, patient_id=patient.id)
    await fill(portal, 40, Event.SIGN_IN_REFUSED, Event.CODE_ASKED)
    key = token_hash(await sign_in(portal, ANNA))
    rows: list[JournalRow] = []
    before = 0
    while True:
        page = await portal.journal.mine(key, before)
        rows += page.rows
        if not page.more:
            break
        before = page.rows[-1].number

    assert sum(row.times for row in rows) == 2 * PAGE + 40 + 2
    assert [row.number for row in rows] == sorted({row.number for row in rows}, reverse=True)
    assert all(row.at <= portal.clock() + timedelta() for row in rows)
