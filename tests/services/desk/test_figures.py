"""What the record says of the whole portal: numbers, each of now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from medonline.bootstrap import Portal
from medonline.metrics import names as metrics
from medonline.services.desk.figures import Figures
from medonline.storage.queries.security_journal import Head
from tests.services.security_journal.rows import rows
from tests.services.world import ANNA, CALL, KNOWN, SECRET_KEY, MovableClock, dispatch, opened

NEW_KEY = "another-key-for-tests-of-more-than-32-characters"


async def test_an_empty_portal_has_nothing_that_waits(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        found = await portal.figures.read()

    assert found[metrics.DATABASE_UP] == {(): 1.0}
    assert found[metrics.WAITING] == {("codes",): 0.0, ("notices",): 0.0}
    assert found[metrics.LAG] == {("codes",): 0.0, ("notices",): 0.0}
    assert found[metrics.BREAKER] == {(): 0.0}
    assert found[metrics.MONEY] == {}  # no line has a cap


async def test_a_code_waits_until_it_is_sent(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        before = (await portal.figures.read())[metrics.JOURNAL_ROWS][()]
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        clock.move(seconds=60)
        waiting = await portal.figures.read()
        clock.move(seconds=-60)
        await dispatch(portal.dispatcher)
        sent = await portal.figures.read()

    assert waiting[metrics.WAITING][("codes",)] == 1
    assert 30 <= waiting[metrics.LAG][("codes",)] <= 60
    assert sent[metrics.WAITING][("codes",)] == 0
    assert sent[metrics.JOURNAL_ROWS][()] == before + 1


async def test_money_is_told_as_a_part_of_the_cap(folder: Path, clock: MovableClock) -> None:
    caps = {"price_flash_call": "1.00", "daily_cap_flash_call": "4"}
    async with opened(folder, clock, **caps) as portal:
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        found = await portal.figures.read()

    assert found[metrics.MONEY] == {("flash_call",): 0.25}


async def test_an_open_breaker_and_a_certificates_end_are_told(folder: Path, clock: MovableClock) -> None:
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    async with opened(folder, clock, breaker_misses="1 per 10 min") as portal:
        figures = Figures(portal.database, clock, {}, {"esia client": ends})
        with portal.database.writing() as session:
            for _ in range(2):
                portal.dispatcher._issuer.breaker.note_miss(session, clock())
        found = await figures.read()

    assert found[metrics.BREAKER] == {(): 1.0}
    assert found[metrics.CERTIFICATE_ENDS] == {("esia client",): ends.timestamp()}


async def test_when_the_journal_was_gone_through_last_is_told_and_what_was_found(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock) as portal:
        never = await portal.figures.read()
        await portal.journal_keeper.record(await portal.journal_keeper.examine())
        whole = await portal.figures.read()
        at = clock.now
        clock.move(days=1)
        known = Head(999_999, "0" * 64)
        await portal.journal_keeper.record(await portal.journal_keeper.examine(known))
        broken = await portal.figures.read()

    assert (never[metrics.JOURNAL_EXAMINED], never[metrics.JOURNAL_WHOLE]) == ({(): 0.0}, {})
    assert (whole[metrics.JOURNAL_EXAMINED], whole[metrics.JOURNAL_WHOLE]) == ({(): at.timestamp()}, {(): 1.0})
    assert broken[metrics.JOURNAL_EXAMINED] == {(): clock.now.timestamp()}
    assert broken[metrics.JOURNAL_WHOLE] == {(): 0.0}


async def test_since_when_the_keys_are_in_use_is_told_by_the_journal(folder: Path, clock: MovableClock) -> None:
    async def happens(portal: Portal) -> float:
        clock.move(days=1)
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        return clock.now.timestamp()

    async with opened(folder, clock) as portal:
        first = (await rows(portal))[0].at.timestamp()  # the accounts of the tests were made
        for _ in range(3):
            await happens(portal)
        alone = (await portal.figures.read())[metrics.KEY_SINCE]
    new = {"secret_key": NEW_KEY, "old_secret_keys": SECRET_KEY}
    async with opened(folder, clock, **new) as portal:
        unused = (await portal.figures.read())[metrics.KEY_SINCE]
        changed = await happens(portal)
        await happens(portal)
        both = (await portal.figures.read())[metrics.KEY_SINCE]

    assert alone == {("current",): first}
    assert unused == {("older",): first}
    assert both == {("current",): changed, ("older",): first}
