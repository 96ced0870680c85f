"""The recovery over a real SQLite file: what each verb does at each step, and in which order they are allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import ChannelUnavailable, CodeMismatch, InvalidPhone, NoRecoveryInProgress, RateLimited
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.delivery import DeliveryState
from medonline.services.password_recovery.reader import RecoveryView
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    another_connection,
    at,
    current_of,
    last_code,
    last_row,
    opened,
    patient_with,
    prove,
    recoveries_of,
    rows_of,
    statements,
    writes_in,
    wrong,
)

NEW = "NewPassword1"


# --- begin ------------------------------------------------------------------------------------------------------


async def test_begin_commits_the_recovery_and_the_intent_to_send_together(portal: Portal, clock: MovableClock) -> None:
    view = await portal.recovery.begin(at(ANNA, "192.0.2.1"), "8 900 000-10-01", TELEGRAM)

    row = await last_row(portal)
    assert (view.step, view.phone, view.channel) == (RecoveryStep.CODE, "+7 900 ***-**-01", TELEGRAM)
    assert (view.attempts_left, view.code_alive, view.delivery) == (3, True, DeliveryState.QUEUED)
    assert (view.issued_at, view.expires_at) == (clock.now, clock.now + timedelta(minutes=10))
    assert view.resend_at == clock.now + timedelta(seconds=60)
    assert (row.phone, row.channel, row.client_ip, row.due_at) == (KNOWN, TELEGRAM, "192.0.2.1", clock.now)
    assert [recovery.id for recovery in await recoveries_of(portal)] == [row.flow_id]


async def test_begin_wakes_the_dispatcher_only_after_the_commit(
    portal: Portal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed: list[int] = []

    def wake() -> None:
        with another_connection(folder) as connection:
            committed.append(connection.exec_driver_sql("SELECT count(*) FROM one_time_code").scalar_one())

    monkeypatch.setattr(portal.dispatcher.outbox, "wake", wake)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    with pytest.raises(RateLimited):
        await portal.recovery.begin(BORIS, KNOWN, CALL)

    assert committed == [1]


async def test_begin_with_another_phone_leaves_the_first_recovery(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    first_code = await last_code(portal)
    view = await portal.recovery.begin(ANNA, OTHER_KNOWN, CALL)

    steps = {recovery.phone: recovery.step for recovery in await recoveries_of(portal)}
    assert view.phone.endswith("02")
    assert steps == {KNOWN: RecoveryStep.ABANDONED, OTHER_KNOWN: RecoveryStep.CODE}
    if first_code != await last_code(portal):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(ANNA, first_code)


@pytest.mark.parametrize("typed", ["", "8 495 123-45-67", "+7 701 123 45 67", "\x00", "я" * 4096])
async def test_a_refused_phone_leaves_no_trace(portal: Portal, typed: str) -> None:
    with pytest.raises(InvalidPhone):
        await portal.recovery.begin(ANNA, typed, CALL)

    assert await recoveries_of(portal) == []
    assert await rows_of(portal) == []
    assert await portal.recovery.current(ANNA) is None


async def test_a_refused_begin_keeps_the_recovery_that_was_there(portal: Portal) -> None:
    await prove(portal, BORIS)
    await portal.recovery.begin(ANNA, OTHER_KNOWN, CALL)

    with pytest.raises(RateLimited):
        await portal.recovery.begin(ANNA, KNOWN, CALL)

    view = await portal.recovery.current(ANNA)
    assert view is not None
    assert (view.step, view.phone) == (RecoveryStep.CODE, "+7 900 ***-**-02")


async def test_a_way_that_is_switched_off_is_refused(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels="telegram") as portal:
        with pytest.raises(ChannelUnavailable):
            await portal.recovery.begin(ANNA, KNOWN, CALL)
        view = await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
        clock.move(minutes=2)
        with pytest.raises(ChannelUnavailable):
            await portal.recovery.resend(ANNA, CALL)

        assert not view.fallback_now
        assert len(await rows_of(portal)) == 1


# --- the proof --------------------------------------------------------------------------------------------------


async def test_a_right_code_typed_twice_gives_the_first_result(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)

    views = await asyncio.gather(*(portal.recovery.confirm_code(ANNA, code) for _ in range(4)))

    assert {view.step for view in views} == {RecoveryStep.NEW_PASSWORD}
    assert (await last_row(portal)).misses == 0


async def test_known_and_unknown_phones_look_and_cost_the_same_before_the_proof(
    portal: Portal, clock: MovableClock
) -> None:
    start = clock.now

    async def walk(visitor: Client, phone: str) -> tuple[list[object], list[str]]:
        clock.now = start
        shown: list[object] = []
        with statements(portal) as seen:
            shown.append(await portal.recovery.begin(visitor, phone, CALL))
            shown.append(await portal.recovery.current(visitor))
            code = await last_code(portal, phone)
            for step in range(3):
                try:
                    await portal.recovery.confirm_code(visitor, wrong(code, step + 1))
                except CodeMismatch as miss:
                    shown.append(miss.attempts_left)
            clock.move(seconds=60)
            shown.append(await portal.recovery.resend(visitor, TELEGRAM))
            try:
                await portal.recovery.set_password(visitor, NEW)
            except NoRecoveryInProgress:
                shown.append("refused")
        masked = [replace(view, phone="", topic="") if isinstance(view, RecoveryView) else view for view in shown]
        return masked, seen

    await portal.recovery.begin(
        Client(visitor_key="first of all"), "+79000007001", CALL
    )  # the process knows the journal's last row from here on
    known_shown, known_seen = await walk(ANNA, KNOWN)
    unknown_shown, unknown_seen = await walk(BORIS, UNKNOWN)

    assert known_shown == unknown_shown
    assert known_seen == unknown_seen  # statement by statement, reads too
    assert len(writes_in(known_seen)) >= 7
    assert not any("patient " in text for text in known_seen)


async def test_only_the_proof_tells_whether_there_is_an_account(portal: Portal) -> None:
    await prove(portal, ANNA, UNKNOWN)

    assert (await current_of(portal, ANNA)).step is RecoveryStep.NO_ACCOUNT
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
    again = await portal.recovery.confirm_code(ANNA, "0000")
    assert again.step is RecoveryStep.NO_ACCOUNT


async def test_the_proof_is_noted_with_the_patient(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)

    assert (await patient_with(portal)).phone_proved_at == clock.now


# --- order ------------------------------------------------------------------------------------------------------

Verb = Callable[[Portal, Client], Awaitable[object]]
VERBS: dict[str, Verb] = {
    "resend": lambda portal, visitor: portal.recovery.resend(visitor, CALL),
    "confirm_code": lambda portal, visitor: portal.recovery.confirm_code(visitor, "0427"),
    "set_password": lambda portal, visitor: portal.recovery.set_password(visitor, NEW),
}


async def to_nothing(portal: Portal) -> None:
    return None


async def to_code(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)


async def to_new_password(portal: Portal) -> None:
    await prove(portal, ANNA)


async def to_done(portal: Portal) -> None:
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, NEW)


async def to_no_account(portal: Portal) -> None:
    await prove(portal, ANNA, UNKNOWN)


async def to_abandoned(portal: Portal) -> None:
    await prove(portal, ANNA)
    await portal.recovery.leave(ANNA)


@pytest.mark.parametrize(
    ("reach", "verb"),
    [
        (to_nothing, "resend"),
        (to_nothing, "confirm_code"),
        (to_nothing, "set_password"),
        (to_code, "set_password"),
        (to_new_password, "resend"),
        (to_done, "resend"),
        (to_done, "confirm_code"),
        (to_no_account, "resend"),
        (to_no_account, "set_password"),
        (to_abandoned, "resend"),
        (to_abandoned, "confirm_code"),
        (to_abandoned, "set_password"),
    ],
)
async def test_a_verb_out_of_order_is_refused_and_writes_nothing(
    portal: Portal, clock: MovableClock, reach: Callable[[Portal], Awaitable[None]], verb: str
) -> None:
    await reach(portal)
    clock.move(minutes=2)
    before = await portal.recovery.current(ANNA), await rows_of(portal), await recoveries_of(portal)
    with statements(portal) as seen, pytest.raises(NoRecoveryInProgress):
        await VERBS[verb](portal, ANNA)

    assert writes_in(seen) == []
    assert (await portal.recovery.current(ANNA), await rows_of(portal), await recoveries_of(portal)) == before


async def test_leaving_twice_or_without_a_recovery_does_nothing(portal: Portal) -> None:
    await portal.recovery.leave(ANNA)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.leave(ANNA)
    await portal.recovery.leave(ANNA)

    assert await portal.recovery.current(ANNA) is None
    assert [recovery.left_at is not None for recovery in await recoveries_of(portal)] == [True]


async def test_leaving_a_finished_recovery_keeps_it_finished(portal: Portal) -> None:
    await to_done(portal)
    await portal.recovery.leave(ANNA)

    assert await portal.recovery.current(ANNA) is None
    assert [recovery.step for recovery in await recoveries_of(portal)] == [RecoveryStep.DONE]
