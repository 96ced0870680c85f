"""Where a call alone is not enough: the birth date between step 2 and step 3, and the ways beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidBirthDate, NoRecoveryInProgress, TooManyCodes
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.desk.accounts import NewAccount
from medonline.services.password_recovery.reader import RecoveryView
from tests.services.codes.guessing import BORN, answer, kill_code
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    browser,
    last_code,
    opened,
    patient_with,
    recoveries_of,
    sign_in,
    statements,
    writes_in,
)

NEW = "NewPassword1"
NO_DATE = "+79000009998"


async def at_birth_date(portal: Portal, clock: MovableClock, to: str = KNOWN) -> RecoveryView:
    await kill_code(portal, clock, to)
    await portal.recovery.begin(ANNA, to, CALL)
    view = await portal.recovery.confirm_code(ANNA, await last_code(portal, to))
    assert view.step is RecoveryStep.BIRTH_DATE
    return view


async def test_after_a_dead_code_the_birth_date_opens_step_3(portal: Portal, clock: MovableClock) -> None:
    view = await at_birth_date(portal, clock)
    assert view.birth_date_tries_left == 3
    before = (await patient_with(portal)).phone_proved_at
    assert await answer(portal, "1958-05-21") == "new_password"

    assert before is None
    assert (await patient_with(portal)).phone_proved_at == clock.now
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE
    await sign_in(portal, BORIS, KNOWN, NEW)


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN, NO_DATE])
async def test_three_wrong_dates_end_the_recovery_whoever_has_the_phone(
    portal: Portal, clock: MovableClock, to: str
) -> None:
    await portal.accounts.add(NewAccount(NO_DATE, PASSWORD, "Безымянная", "Нина"))
    await at_birth_date(portal, clock, to)

    dates = ("01.01.1990", "02.01.1990", "03.01.1990")
    assert [await answer(portal, typed) for typed in dates] == [f"BirthDateMismatch{left}" for left in (2, 1, 0)]
    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert current.step is RecoveryStep.REFUSED
    assert await answer(portal, BORN) == "refused"
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.resend(ANNA, TELEGRAM)
    await portal.recovery.leave(ANNA)
    assert await portal.recovery.current(ANNA) is None


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
async def test_who_receives_the_codes_does_not_try_dates_week_after_week(
    portal: Portal, clock: MovableClock, to: str
) -> None:
    """The new owner of an old number: three dates at each of ten codes a week would find any birth date in time."""
    clock.move(days=100)
    came = []
    for number in range(4):
        await kill_code(portal, clock, to, visitor=browser(number))  # so that an unknown number is asked, too
        await portal.recovery.begin(ANNA, to, CALL)
        step = (await portal.recovery.confirm_code(ANNA, await last_code(portal, to))).step
        came.append(
            [step, *([await answer(portal, f"0{day}.01.1990") for day in (1, 2)] if step == "birth_date" else [])]
        )
        await portal.recovery.leave(ANNA)
        clock.move(days=7)
    tried = ["birth_date", "BirthDateMismatch2", "BirthDateMismatch1"]
    assert came == [tried, tried, ["refused"], ["refused"]]

    clock.move(days=10)  # the first one is thirty days back
    await at_birth_date(portal, clock, to)
    assert await answer(portal, BORN) == ("new_password" if to == KNOWN else "BirthDateMismatch2")


async def test_recoveries_that_stand_at_the_date_together_have_no_more_tries(
    portal: Portal, clock: MovableClock
) -> None:
    clock.move(days=100)
    visitors = [browser(number) for number in range(3)]
    for visitor in visitors:
        await portal.recovery.begin(visitor, KNOWN, CALL)
        view = await portal.recovery.confirm_code(visitor, await last_code(portal, KNOWN))
        assert view.step is RecoveryStep.BIRTH_DATE
        clock.move(seconds=121)

    assert [await answer(portal, "01.01.1990", visitor) for visitor in visitors[:2]] == ["BirthDateMismatch2"] * 2
    assert await answer(portal, BORN, visitors[2]) == "refused"
    assert await answer(portal, BORN, visitors[0]) == "new_password"  # of two the tries that are left count


async def test_an_unknown_phone_looks_and_costs_the_same_as_a_known_one(portal: Portal, clock: MovableClock) -> None:
    logs, views = [], []
    for to in (KNOWN, UNKNOWN):
        with statements(portal) as seen:
            views.append(await at_birth_date(portal, clock, to))
            await answer(portal, "01.01.1990")
        logs.append(writes_in(seen))
        await portal.recovery.leave(ANNA)
        await portal.recovery.leave(BORIS)
        clock.move(hours=2)

    assert logs[0] == logs[1]
    assert {(view.step, view.birth_date_tries_left, view.fallback_now) for view in views} == {
        (RecoveryStep.BIRTH_DATE, 3, views[0].fallback_now)
    }
    assert [recovery.patient_id for recovery in await recoveries_of(portal)] == [None] * 4


@pytest.mark.parametrize("typed", ["", "вчера", "31.02.1958", "21.05.2058"])
async def test_what_is_no_date_costs_no_try(portal: Portal, clock: MovableClock, typed: str) -> None:
    await at_birth_date(portal, clock)
    with pytest.raises(InvalidBirthDate):
        await portal.recovery.confirm_birth_date(ANNA, typed)

    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert current.birth_date_tries_left == 3


async def test_of_fifty_wrong_dates_at_once_three_are_judged(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    outcomes = Counter(await asyncio.gather(*(answer(portal, f"{day:02}.01.1990") for day in range(1, 29))))

    assert sum(outcomes[f"BirthDateMismatch{left}"] for left in (2, 1, 0)) == 3
    assert outcomes["refused"] == 25
    assert (await recoveries_of(portal))[-1].birth_date_misses == 3


async def test_a_right_date_in_a_crowd_opens_step_3_or_comes_too_late(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    typed = [f"{day:02}.01.1990" for day in range(1, 20)]
    typed.insert(2, BORN)
    outcomes = await asyncio.gather(*(answer(portal, date) for date in typed))

    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert (current.step is RecoveryStep.NEW_PASSWORD) == ("new_password" in outcomes)
    assert sum(outcome.startswith("BirthDateMismatch") for outcome in outcomes) <= 3


async def test_it_resumes_after_a_restart_with_the_tries_used(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await at_birth_date(portal, clock)
        await answer(portal, "01.01.1990")
    async with opened(folder, clock) as portal:
        current = await portal.recovery.current(ANNA)
        assert current is not None
        assert (current.step, current.birth_date_tries_left) == (RecoveryStep.BIRTH_DATE, 2)
        assert await answer(portal, BORN) == "new_password"


async def test_it_is_over_ten_minutes_after_the_code(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    clock.move(minutes=10)

    assert await portal.recovery.current(ANNA) is None
    assert await answer(portal, BORN) == "NoRecoveryInProgress"


async def test_the_code_typed_twice_and_the_date_typed_twice_give_the_first_result(
    portal: Portal, clock: MovableClock
) -> None:
    await at_birth_date(portal, clock)
    again = await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))
    assert again.step is RecoveryStep.BIRTH_DATE
    assert await asyncio.gather(answer(portal, BORN), answer(portal, BORN)) == ["new_password"] * 2


@pytest.mark.parametrize(("to", "step"), [(KNOWN, "new_password"), (UNKNOWN, "no_account")])
async def test_telegram_instead_of_the_date_is_enough(portal: Portal, clock: MovableClock, to: str, step: str) -> None:
    await at_birth_date(portal, clock, to)
    clock.move(minutes=2)
    view = await portal.recovery.resend(ANNA, TELEGRAM)
    assert (view.step, view.channel) == (RecoveryStep.CODE, TELEGRAM)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, to))).step == step


async def test_another_call_instead_of_the_date_is_refused(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    clock.move(minutes=2)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.resend(ANNA, CALL)


async def test_going_round_by_telegram_gives_no_new_tries(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    await answer(portal, "01.01.1990")
    await answer(portal, "02.01.1990")
    clock.move(minutes=2)
    await portal.recovery.resend(ANNA, TELEGRAM)
    clock.move(hours=0, minutes=30)
    with pytest.raises(TooManyCodes):
        await portal.recovery.resend(ANNA, CALL)
    clock.move(minutes=26)
    await portal.recovery.resend(ANNA, CALL)
    view = await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))

    assert (view.step, view.birth_date_tries_left) == (RecoveryStep.BIRTH_DATE, 1)


async def test_a_code_of_the_first_screen_opens_nothing_at_the_birth_date(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
