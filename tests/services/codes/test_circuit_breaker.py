"""The circuit breaker over all phones: opens, closes, doubles, survives a restart; alarms are damped."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import CodeMismatch
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.delivery import DeliveryState
from medonline.storage.queries import codes_circuit_breaker
from medonline.storage.queries.codes_circuit_breaker import BreakerState
from medonline.storage.tables.codes import OneTimeCodeRow
from tests.services.limits.asking import phone
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    browser,
    last_code,
    opened,
    wrong,
)

HALF_HOUR = timedelta(minutes=30)


async def state_of(portal: Portal) -> BreakerState:
    with portal.database.reading() as session:
        return codes_circuit_breaker.state(session)


async def is_open(portal: Portal) -> bool:
    with portal.database.reading() as session:
        open_until = codes_circuit_breaker.state(session).open_until
        return open_until is not None and portal.clock() < open_until


async def miss(portal: Portal, times: int, block: int = 600) -> None:
    """Wrong codes, three to a phone, each phone in a browser of its own."""
    for number in range(times):
        visitor = browser(block * 10_000 + number // 3)
        if number % 3 == 0:
            await portal.recovery.begin(visitor, phone(number // 3, block), CALL)
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(visitor, wrong(await last_code(portal, phone(number // 3, block)), 1))


async def noted(portal: Portal, times: int) -> None:
    """Wrong codes as the judging notes them, without the recoveries in which they were typed."""
    with portal.database.writing() as session:
        for _ in range(times):
            portal.recovery.codes.issuer.breaker.note_miss(session, portal.clock())


async def put_codes(portal: Portal, outcomes: list[bool], issued_at: datetime, **facts: object) -> None:
    """Codes of the past: confirmed or expired, a second apart."""
    with portal.database.writing() as session:
        for number, confirmed in enumerate(outcomes):
            at = issued_at + timedelta(seconds=number)
            row: dict[str, object] = {
                "flow_id": "f", "purpose": "p", "phone": phone(number, 700), "channel": CALL, "digest": "",
                "issued_at": at, "expires_at": at + timedelta(minutes=5), "confirmed_at": at if confirmed else None,
                "delivery": DeliveryState.DELIVERED,
            }  # fmt: skip
            session.add(OneTimeCodeRow(**row | facts))


async def test_fifty_misses_in_ten_minutes_are_borne_and_the_next_one_opens(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    await miss(portal, 50)
    assert not await is_open(portal)
    await miss(portal, 1, block=601)

    assert await is_open(portal)
    state = await state_of(portal)
    assert (state.open_until, state.times) == (portal.clock() + HALF_HOUR, 1)
    await miss(portal, 30, block=602)
    alarms = [record.getMessage() for record in caplog.records if "ALARM" in record.getMessage()]
    assert alarms == [
        "ALARM breaker-open: the circuit breaker of codes is open for 30 min: 51 wrong codes within 10 min"
    ]


async def test_misses_spread_over_more_than_ten_minutes_do_not_open(portal: Portal, clock: MovableClock) -> None:
    for block in range(600, 604):
        await noted(portal, 22)
        await miss(portal, 3, block)
        clock.move(minutes=5)

    assert not await is_open(portal)


async def test_it_closes_after_half_an_hour_and_counts_anew(portal: Portal, clock: MovableClock) -> None:
    await noted(portal, 48)
    await miss(portal, 3)
    assert await is_open(portal)
    clock.move(minutes=25)
    await noted(portal, 42)  # while open: they are the reason for it, not for the next time
    await miss(portal, 3, block=601)
    clock.move(minutes=5)
    assert not await is_open(portal)
    await noted(portal, 47)
    await miss(portal, 3, block=602)

    assert not await is_open(portal)


async def test_each_opening_in_a_row_doubles_the_time_and_a_calm_day_ends_the_row(
    portal: Portal, clock: MovableClock
) -> None:
    lengths = []
    for block in range(600, 609):
        before = clock.now
        await noted(portal, 48)
        await miss(portal, 3, block)
        until = (await state_of(portal)).open_until
        assert until is not None
        lengths.append((until - before) / timedelta(hours=1))
        clock.now = until
        assert not await is_open(portal)

    assert lengths == [0.5, 1, 2, 4, 8, 16, 24, 24, 24]
    clock.move(days=1)
    await noted(portal, 48)
    await miss(portal, 3, block=620)
    assert ((await state_of(portal)).open_until, (await state_of(portal)).times) == (clock.now + HALF_HOUR, 1)


async def test_it_survives_a_restart_open_and_half(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await noted(portal, 30)
    async with opened(folder, clock) as portal:
        await noted(portal, 18)
        await miss(portal, 3, block=601)
        assert await is_open(portal)
    clock.move(minutes=29)
    async with opened(folder, clock) as portal:
        assert await is_open(portal)
    clock.move(minutes=1)
    async with opened(folder, clock) as portal:
        assert not await is_open(portal)
        await noted(portal, 48)
        await miss(portal, 3, block=602)
        assert (await state_of(portal)).open_until == clock.now + 2 * HALF_HOUR


@pytest.mark.parametrize(("confirmed", "opens"), [(40, False), (39, True)])
async def test_fewer_than_forty_of_the_last_hundred_codes_confirmed_open(
    portal: Portal, clock: MovableClock, confirmed: int, opens: bool
) -> None:
    await put_codes(portal, [True] * 50, clock.now - timedelta(hours=2))  # older ones do not count
    outcomes = [True] * confirmed + [False] * (100 - confirmed)
    random.Random(4).shuffle(outcomes)
    await put_codes(portal, outcomes, clock.now - timedelta(hours=1))
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert await is_open(portal) is opens


async def test_ninety_nine_codes_say_nothing_yet(portal: Portal, clock: MovableClock) -> None:
    await put_codes(portal, [False] * 99, clock.now - timedelta(hours=1))
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert not await is_open(portal)


async def test_codes_that_did_not_go_out_or_may_still_be_typed_do_not_count(
    portal: Portal, clock: MovableClock
) -> None:
    await put_codes(portal, [True] * 100, clock.now - timedelta(hours=2))
    await put_codes(portal, [False] * 100, clock.now - timedelta(hours=1), delivery=DeliveryState.FAILED)
    await put_codes(portal, [False] * 100, clock.now - timedelta(minutes=2), expires_at=clock.now + HALF_HOUR)
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert not await is_open(portal)


async def test_the_codes_that_opened_it_do_not_open_it_again(portal: Portal, clock: MovableClock) -> None:
    await put_codes(portal, [False] * 100, clock.now - timedelta(hours=1))
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    assert await is_open(portal)
    clock.move(minutes=31)
    await portal.recovery.begin(BORIS, UNKNOWN, CALL)

    assert not await is_open(portal)


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
async def test_while_it_is_open_a_call_is_not_enough_for_anybody_and_telegram_is(
    portal: Portal, clock: MovableClock, to: str
) -> None:
    await noted(portal, 48)
    await miss(portal, 3)
    await portal.recovery.begin(ANNA, to, CALL)
    view = await portal.recovery.confirm_code(ANNA, await last_code(portal, to))
    assert view.step is RecoveryStep.BIRTH_DATE
    clock.move(minutes=2)
    await portal.recovery.resend(ANNA, TELEGRAM)
    view = await portal.recovery.confirm_code(ANNA, await last_code(portal, to))

    assert view.step is (RecoveryStep.NEW_PASSWORD if to == KNOWN else RecoveryStep.NO_ACCOUNT)


async def test_a_spray_over_many_phones_opens_it_and_wins_nothing_by_calls_alone(portal: Portal) -> None:
    """Three random guesses at each of many phones: after 51 misses even the right code is not enough."""
    dice, misses, judged = random.Random(2026), 0, 0
    for number in range(60):
        visitor = browser(number + 1)
        await portal.recovery.begin(visitor, phone(number), CALL)
        right = await last_code(portal, phone(number))
        for _ in range(3):
            judged += 1
            guess = wrong(
                right, by=dice.randrange(1, 10_000)
            )  # the code is random, too, and one in 10 000 would hit it
            try:
                view = await portal.recovery.confirm_code(visitor, guess)
            except CodeMismatch:
                misses += 1
            else:
                assert view.step is not RecoveryStep.NEW_PASSWORD
        if await is_open(portal):
            break

    assert 51 <= misses <= 53
    assert number == 16
    view = await portal.recovery.begin(BORIS, KNOWN, CALL)
    assert (await portal.recovery.confirm_code(BORIS, await last_code(portal, KNOWN))).step is RecoveryStep.BIRTH_DATE
