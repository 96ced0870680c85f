"""Where a recovery is, and until when: what a reload shows, what a restart leaves, and which begin is the same one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import CodeMismatch, NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryStep
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    TELEGRAM,
    MovableClock,
    current_of,
    last_code,
    opened,
    prove,
    recoveries_of,
    rows_of,
    sign_in,
    statements,
    writes_in,
    wrong,
)

NEW = "NewPassword1"


async def test_the_same_begin_again_sends_nothing_and_gives_the_same_recovery(
    portal: Portal, clock: MovableClock
) -> None:
    first = await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(minutes=4)
    again = await portal.recovery.begin(ANNA, "8 (900) 000-10-01", CALL)

    assert again == replace(first, ready_channels=(TELEGRAM,))
    assert len(await rows_of(portal)) == 1


async def test_two_begins_at_the_same_moment_send_one_code(portal: Portal) -> None:
    views = await asyncio.gather(*(portal.recovery.begin(ANNA, KNOWN, CALL) for _ in range(5)))

    assert len(set(views)) == 1
    assert len(await rows_of(portal)) == 1


async def test_begin_after_the_code_died_is_a_new_recovery(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(minutes=5)
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert [recovery.step for recovery in await recoveries_of(portal)] == [RecoveryStep.ABANDONED, RecoveryStep.CODE]


async def test_going_back_and_giving_the_same_phone_again_keeps_the_code_in_hand(portal: Portal) -> None:
    first = await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal, KNOWN)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, wrong(code))
    await portal.recovery.leave(ANNA)
    assert await portal.recovery.current(ANNA) is None

    again = await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert (again.issued_at, again.attempts_left) == (first.issued_at, 2)
    assert await last_code(portal, KNOWN) == code
    assert (await portal.recovery.confirm_code(ANNA, code)).step is RecoveryStep.NEW_PASSWORD


async def test_begin_does_not_show_a_recovery_that_is_over(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    clock.move(minutes=59)
    await portal.recovery.resend(ANNA, TELEGRAM)
    clock.move(minutes=2)
    assert await portal.recovery.current(ANNA) is None  # older than an hour, though its last code is alive

    view = await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)

    assert await portal.recovery.current(ANNA) == view
    assert view.issued_at == clock.now


async def test_the_proof_opens_the_new_password_for_ten_minutes(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)
    clock.move(minutes=10, microseconds=-1)
    assert (await current_of(portal, ANNA)).step is RecoveryStep.NEW_PASSWORD
    clock.move(microseconds=1)

    assert await portal.recovery.current(ANNA) is None
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
    assert await sign_in(portal, ANNA)  # with the old one


async def test_success_is_shown_for_ten_minutes(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, NEW)
    clock.move(minutes=10, microseconds=-1)
    assert (await current_of(portal, ANNA)).step is RecoveryStep.DONE
    clock.move(microseconds=1)

    assert await portal.recovery.current(ANNA) is None


async def test_reading_where_a_recovery_stands_writes_and_sends_nothing(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    with statements(portal) as seen:
        for _ in range(3):
            await portal.recovery.current(ANNA)

    assert writes_in(seen) == []


async def test_a_restart_between_any_two_steps_goes_on_from_the_same_step(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        begun = await portal.recovery.begin(ANNA, KNOWN, CALL)
    async with opened(folder, clock) as portal:
        assert await portal.recovery.current(ANNA) == begun
        proved = await portal.recovery.confirm_code(ANNA, await last_code(portal))
    async with opened(folder, clock) as portal:
        assert await portal.recovery.current(ANNA) == proved
        done = await portal.recovery.set_password(ANNA, NEW)
    async with opened(folder, clock) as portal:
        assert await portal.recovery.current(ANNA) == done
        assert await sign_in(portal, ANNA, KNOWN, NEW)


async def test_the_password_step_says_until_when_and_ends_then(portal: Portal, clock: MovableClock) -> None:
    assert (await portal.recovery.begin(ANNA, KNOWN, CALL)).password_until is None
    await portal.recovery.confirm_code(ANNA, await last_code(portal))
    until = (await current_of(portal, ANNA)).password_until

    assert until == clock.now + portal.config.new_password_window
    clock.now = until - timedelta(seconds=1)
    assert (await current_of(portal, ANNA)).password_until == until
    clock.now = until
    assert await portal.recovery.current(ANNA) is None
