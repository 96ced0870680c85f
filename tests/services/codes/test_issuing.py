"""How many codes a phone gets: the last allowed, the first refused, allowed again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import TooManyCodes
from tests.services.limits.asking import ask, refusal_of
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    opened,
    recoveries_of,
    rows_of,
    statements,
    writes_in,
)


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
async def test_a_phone_gets_three_codes_an_hour_whoever_asks(portal: Portal, clock: MovableClock, to: str) -> None:
    first = clock.now
    for _ in range(3):
        assert await ask(portal, to) == "sent"
        clock.move(minutes=10)

    refusal = await refusal_of(portal, to)
    assert type(refusal) is TooManyCodes
    assert refusal.until == first + timedelta(hours=1)
    assert refusal.resets_in == timedelta(minutes=30)
    clock.now = refusal.until - timedelta(microseconds=1)
    assert await ask(portal, to) == "TooManyCodes"
    clock.now = refusal.until
    assert await ask(portal, to) == "sent"
    assert await ask(portal, to, way=TELEGRAM) == "TooManyCodes"


async def test_a_phone_gets_five_codes_a_day(portal: Portal, clock: MovableClock) -> None:
    first = clock.now
    for _ in range(5):
        assert await ask(portal, KNOWN) == "sent"
        clock.move(hours=2)

    assert (await refusal_of(portal, KNOWN)).until == first + timedelta(days=1)
    clock.now = first + timedelta(days=1)
    assert await ask(portal, KNOWN) == "sent"
    assert await ask(portal, KNOWN, visitor=ANNA) == "TooManyCodes"


async def test_a_phone_gets_ten_codes_a_week(portal: Portal, clock: MovableClock) -> None:
    first = clock.now
    for _ in range(10):
        assert await ask(portal, KNOWN) == "sent"
        clock.move(hours=13)

    refusal = await refusal_of(portal, KNOWN)
    assert refusal.until == first + timedelta(days=7)
    clock.now = refusal.until
    assert await ask(portal, KNOWN) == "sent"


async def test_the_limit_of_a_phone_survives_a_restart(folder: Path, clock: MovableClock) -> None:
    for _ in range(3):
        async with opened(folder, clock) as portal:
            assert await ask(portal, KNOWN) == "sent"
        clock.move(minutes=6)
    async with opened(folder, clock) as portal:
        assert await ask(portal, KNOWN) == "TooManyCodes"
        assert await ask(portal, UNKNOWN) == "sent"


async def test_fifty_begins_at_once_never_exceed_the_limit_of_a_phone(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, resend_pauses="1 s") as portal:
        for _ in range(4):
            await asyncio.gather(*(ask(portal, KNOWN, way=way) for _ in range(25) for way in (CALL, TELEGRAM)))
            clock.move(seconds=1)

        rows = await rows_of(portal)
    assert len(rows) == 3
    assert sum(row.replaced_at is None for row in rows) == 1


async def test_the_screen_counts_down_to_the_end_of_the_limit(portal: Portal, clock: MovableClock) -> None:
    first = clock.now
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    for _ in range(2):
        clock.move(minutes=6)
        view = await portal.recovery.resend(ANNA, CALL)

    assert view.resend_at == first + timedelta(hours=1)
    assert not view.fallback_now


async def test_a_refused_begin_leaves_nothing_behind_and_keeps_the_recovery_that_is_there(
    portal: Portal, clock: MovableClock
) -> None:
    for _ in range(3):
        await ask(portal, KNOWN)
        clock.move(minutes=6)
    await portal.recovery.begin(ANNA, UNKNOWN, CALL)
    with pytest.raises(TooManyCodes):
        await portal.recovery.begin(ANNA, KNOWN, CALL)

    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert (current.phone[-2:], current.code_alive) == ("99", True)
    assert len(await recoveries_of(portal)) == 4


async def test_known_and_unknown_phones_cost_the_same_writes_up_to_the_refusal(
    portal: Portal, clock: MovableClock
) -> None:
    logs = []
    for to in (KNOWN, UNKNOWN):
        with statements(portal) as seen:
            for _ in range(4):
                await ask(portal, to)
                clock.move(minutes=6)
        logs.append(writes_in(seen))

    assert logs[0] == logs[1]
    assert logs[0].count("INSERT INTO one_time_code") == 3
