"""Notices that no phone has got: listed, and sent once more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from medonline.bootstrap import Portal
from medonline.domain.security_journal import JournalEvent
from medonline.storage.tables.notices import Notice
from tests.services.world import KNOWN, MovableClock, patient_with

HOUR = timedelta(hours=1)


async def add(portal: Portal, created_at: datetime, **facts: object) -> Notice:
    patient = await patient_with(portal)
    row = Notice(patient_id=patient.id, phone=KNOWN, text="canary", created_at=created_at, attempts=4, **facts)
    with portal.database.writing() as session:
        session.add(row)
    return row


async def kept(portal: Portal, row: Notice) -> Notice:
    with portal.database.reading() as session:
        found = session.get(Notice, row.id)
    assert found is not None
    return found


async def test_what_was_given_up_is_due_again_with_all_its_attempts(portal: Portal, clock: MovableClock) -> None:
    row = await add(portal, clock.now - HOUR, problem="channel_down")
    assert await portal.desk.unsent.resend(row.id)
    again = await kept(portal, row)

    assert (again.due_at, again.attempts, again.problem) == (clock.now, 0, "")
    events = [line["event"] async for line in portal.journal_keeper.everything()]
    assert events[-1] == JournalEvent.NOTICE_RESENT


@pytest.mark.parametrize("which", ["sent", "waits", "old", "unknown"])
async def test_no_other_is_sent_once_more(portal: Portal, clock: MovableClock, which: str) -> None:
    ago = timedelta(days=1) if which == "old" else HOUR
    facts = {"sent": {"sent_at": clock.now}, "waits": {"due_at": clock.now}}.get(which, {})
    row = await add(portal, clock.now - ago, **facts)
    before = await kept(portal, row)

    assert not await portal.desk.unsent.resend("0" * 32 if which == "unknown" else row.id)
    assert (await kept(portal, row)).model_dump() == before.model_dump()


async def test_all_are_sent_again_but_those_that_somebody_must_look_at(portal: Portal, clock: MovableClock) -> None:
    later = clock.now + HOUR
    ago = clock.now - HOUR
    taken_up = [
        await add(portal, ago, problem="channel_down"),
        await add(portal, ago, problem="channel_down", due_at=later),
        await add(portal, ago, problem="number_refused"),
    ]
    left = [
        await add(portal, ago, problem="unknown"),
        await add(portal, ago, problem="number_not_reachable"),
        await add(portal, ago, problem="in_hand", due_at=later),
        await add(portal, ago, due_at=later),  # no money until midnight
        await add(portal, clock.now - 25 * HOUR, problem="channel_down"),
        await add(portal, ago, problem="channel_down", sent_at=clock.now),
    ]
    before = [(await kept(portal, row)).model_dump() for row in left]

    assert await portal.desk.unsent.resend_all() == len(taken_up)
    for row in taken_up:
        again = await kept(portal, row)
        assert (again.due_at, again.attempts, again.problem) == (clock.now, 0, "")
    assert [(await kept(portal, row)).model_dump() for row in left] == before
    events = [line["event"] async for line in portal.journal_keeper.everything()]
    assert events[-4:].count(JournalEvent.NOTICE_RESENT) == len(taken_up)
    assert await portal.desk.unsent.resend_all() == 0


async def test_the_newest_are_listed_first_and_those_that_were_sent_are_not(
    portal: Portal, clock: MovableClock
) -> None:
    rows = [await add(portal, clock.now - hours * HOUR) for hours in (3, 1, 2)]
    await add(portal, clock.now, sent_at=clock.now)

    newest = [row.id for row in await portal.desk.unsent.newest(2)]
    assert newest == [rows[1].id, rows[2].id]
