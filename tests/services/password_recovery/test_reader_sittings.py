"""From the proof of the phone on a recovery is for its sitting: for the browser until it is closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import BirthDateMismatch, NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.password_recovery.reader import RecoveryView
from tests.services.gosuslugi.journeys import set_facts
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    recoveries_of,
)

MINE, NEXT = "1" * 64, "2" * 64  # two sittings at one browser
NEW = "NewPassword1"
BORN = "21.05.1958"
Action = Callable[[Portal, str], Awaitable[RecoveryView]]


async def prove(portal: Portal, phone: str = KNOWN) -> RecoveryView:
    await portal.recovery.begin(ANNA, phone, CALL)
    return await portal.recovery.confirm_code(replace(ANNA, sitting_key=MINE), await last_code(portal))


async def at_the_birth_date(portal: Portal) -> RecoveryView:
    await set_facts(portal, phone_proved_at=portal.clock() - timedelta(days=100))
    return await prove(portal)


async def at_the_new_password(portal: Portal) -> RecoveryView:
    return await prove(portal)


async def at_no_account(portal: Portal) -> RecoveryView:
    return await prove(portal, UNKNOWN)


async def stopped(portal: Portal) -> RecoveryView:
    await set_facts(portal, recovery_stopped_until=portal.clock() + timedelta(days=1))
    return await prove(portal)


async def refused(portal: Portal) -> RecoveryView:
    view = await at_the_birth_date(portal)
    for _ in range(3):
        with pytest.raises(BirthDateMismatch):
            await portal.recovery.confirm_birth_date(replace(ANNA, sitting_key=MINE), "01.01.1990")
    return view


async def done(portal: Portal) -> RecoveryView:
    await prove(portal)
    return await portal.recovery.set_password(replace(ANNA, sitting_key=MINE), NEW)


PROVED = [at_the_birth_date, at_the_new_password, at_no_account, stopped, refused]


async def step_in(portal: Portal, sitting: str) -> RecoveryStep | None:
    view = await portal.recovery.current(replace(ANNA, sitting_key=sitting))
    return view.step if view else None


@pytest.mark.parametrize("sitting", [MINE, NEXT])
async def test_what_waits_for_its_code_goes_on_after_the_browser_was_closed(portal: Portal, sitting: str) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert await step_in(portal, sitting) is RecoveryStep.CODE
    confirmed = await portal.recovery.confirm_code(replace(ANNA, sitting_key=sitting), await last_code(portal))
    assert confirmed.step is RecoveryStep.NEW_PASSWORD


@pytest.mark.parametrize("proved", [*PROVED, done])
@pytest.mark.parametrize("sitting", [NEXT, ""])
async def test_the_next_person_at_the_computer_sees_nothing_of_what_was_proved(
    portal: Portal, proved: Callable[[Portal], Awaitable[RecoveryView]], sitting: str
) -> None:
    await proved(portal)

    assert await step_in(portal, sitting) is None
    assert await step_in(portal, MINE) is not None


@pytest.mark.parametrize("proved", [at_the_birth_date, at_the_new_password, done])
@pytest.mark.parametrize(
    "act",
    [
        lambda portal, sitting: portal.recovery.set_password(replace(ANNA, sitting_key=sitting), "StrangersPassword1"),
        lambda portal, sitting: portal.recovery.confirm_birth_date(replace(ANNA, sitting_key=sitting), BORN),
        lambda portal, sitting: portal.recovery.confirm_code(replace(ANNA, sitting_key=sitting), "0427"),
        lambda portal, sitting: portal.recovery.resend(replace(ANNA, sitting_key=sitting), TELEGRAM),
    ],
    ids=["password", "birth date", "code", "resend"],
)
async def test_in_another_sitting_nothing_that_was_proved_moves(
    portal: Portal, clock: MovableClock, act: Action, proved: Callable[[Portal], Awaitable[RecoveryView]]
) -> None:
    await proved(portal)
    clock.move(minutes=2)
    before = [row.model_dump() for row in await recoveries_of(portal)]

    for sitting in (NEXT, ""):
        with pytest.raises(NoRecoveryInProgress):
            await act(portal, sitting)
    assert [row.model_dump() for row in await recoveries_of(portal)] == before


async def test_a_restart_of_the_server_loses_nothing_of_the_sitting(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await prove(portal)
    async with opened(folder, clock) as portal:
        assert await step_in(portal, MINE) is RecoveryStep.NEW_PASSWORD
        assert (await portal.recovery.set_password(replace(ANNA, sitting_key=MINE), NEW)).step is RecoveryStep.DONE


async def test_the_next_person_begins_a_recovery_of_their_own_and_ends_the_one_before(
    portal: Portal, clock: MovableClock
) -> None:
    await prove(portal)
    clock.move(minutes=2)
    await portal.recovery.begin(ANNA, UNKNOWN, CALL)

    assert await step_in(portal, NEXT) is RecoveryStep.CODE
    assert await step_in(portal, MINE) is RecoveryStep.CODE
    assert [row.step for row in await recoveries_of(portal)] == [RecoveryStep.ABANDONED, RecoveryStep.CODE]


async def test_another_code_in_place_of_the_birth_date_is_proved_in_whichever_sitting_it_arrives(
    portal: Portal, clock: MovableClock
) -> None:
    await at_the_birth_date(portal)
    clock.move(minutes=2)
    await portal.recovery.resend(replace(ANNA, sitting_key=MINE), TELEGRAM)

    assert await step_in(portal, NEXT) is RecoveryStep.CODE
    await portal.recovery.confirm_code(replace(ANNA, sitting_key=NEXT), await last_code(portal))
    assert await step_in(portal, MINE) is None
    assert await step_in(portal, NEXT) is RecoveryStep.BIRTH_DATE


@pytest.mark.parametrize("proved", PROVED)
async def test_the_start_page_ends_what_was_proved(
    portal: Portal, proved: Callable[[Portal], Awaitable[RecoveryView]]
) -> None:
    await proved(portal)
    await portal.recovery.leave_proved(ANNA.visitor_key)
    await portal.recovery.leave_proved(ANNA.visitor_key)

    assert await step_in(portal, MINE) is None
    assert [row.step for row in await recoveries_of(portal)] == [RecoveryStep.ABANDONED]
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(replace(ANNA, sitting_key=MINE), NEW)


async def test_the_start_page_leaves_what_waits_for_its_code_and_what_is_done(
    portal: Portal, clock: MovableClock
) -> None:
    await portal.recovery.leave_proved(ANNA.visitor_key)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.leave_proved(ANNA.visitor_key)
    assert await step_in(portal, MINE) is RecoveryStep.CODE

    await portal.recovery.confirm_code(replace(ANNA, sitting_key=MINE), await last_code(portal))
    await portal.recovery.set_password(replace(ANNA, sitting_key=MINE), NEW)
    await portal.recovery.leave_proved(ANNA.visitor_key)
    assert await step_in(portal, MINE) is RecoveryStep.DONE
