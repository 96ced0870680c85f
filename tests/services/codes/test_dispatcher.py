"""The dispatcher: what was committed is sent once, survives a kill, and is never sent too late or twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.services import outbox
from medonline.services.codes import dispatcher as dispatching
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState
from medonline.services.codes.dispatcher import LEASE, CodeDispatcher
from medonline.services.outbox import IDLE_PAUSE, STALLED_AFTER
from medonline.services.ports import DeliveryReport
from medonline.storage.engine import Database
from medonline.storage.tables.codes import OneTimeCodeRow
from tests.in_clear import holds_code
from tests.patience import PATIENCE
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    at,
    browser,
    code_in,
    dispatch,
    dispatcher_of,
    last_row,
    opened,
    rows_of,
    settled,
    wrong,
)


@asynccontextmanager
async def turning(dispatcher: CodeDispatcher) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(dispatcher.outbox.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def begun(portal: Portal, channel: str = TELEGRAM) -> OneTimeCodeRow:
    await portal.recovery.begin(at(ANNA, "192.0.2.1"), KNOWN, channel)
    return await last_row(portal)


async def test_what_was_committed_is_sent_once(portal: Portal, clock: MovableClock) -> None:
    row = await begun(portal)
    channel = ScriptedChannel()
    dispatcher = dispatcher_of(portal, telegram=channel)
    await dispatch(dispatcher)
    await dispatch(dispatcher)

    (message,) = channel.asked
    assert (message.idempotency_key, message.phone.e164, message.client_ip) == (row.id, KNOWN, "192.0.2.1")
    assert (message.code, message.life) == (code_in(portal, row), row.expires_at - row.issued_at)
    sent = await last_row(portal)
    assert (sent.delivery, sent.provider, sent.provider_ref) == (DeliveryState.SENT, "scripted", f"ref-{row.id}")


async def test_several_processes_never_send_one_code_twice(folder: Path, portal: Portal, clock: MovableClock) -> None:
    await begun(portal)
    channel = ScriptedChannel()
    async with opened(folder, clock) as second, opened(folder, clock) as third:
        dispatchers = [dispatcher_of(one, telegram=channel) for one in (portal, second, third)]
        await asyncio.gather(*map(dispatch, dispatchers))

    assert len(channel.asked) == 1


async def test_many_codes_are_sent_at_once_and_each_once(portal: Portal) -> None:
    for number in range(20):
        await portal.recovery.begin(browser(number), f"+790000020{number:02d}", CALL)
    channel = ScriptedChannel()
    dispatcher = dispatcher_of(portal, flash_call=channel)
    await dispatch(dispatcher)
    await dispatch(dispatcher)

    assert sorted(message.idempotency_key for message in channel.asked) == sorted(
        row.id for row in await rows_of(portal)
    )


async def test_an_intent_survives_a_crash_before_it_was_sent(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        row = await begun(portal)
        code = code_in(portal, row)
    clock.move(seconds=40)
    channel = ScriptedChannel()
    async with opened(folder, clock) as portal:
        await dispatch(dispatcher_of(portal, telegram=channel))
        view = await portal.recovery.confirm_code(ANNA, channel.asked[0].code)

    assert [message.code for message in channel.asked] == [code]
    assert view.step is RecoveryStep.NEW_PASSWORD


async def killed_while_sending(folder: Path, clock: MovableClock, channel: ScriptedChannel) -> None:
    channel.hold = asyncio.Event()
    async with opened(folder, clock) as portal:
        await begun(portal)
        async with turning(dispatcher_of(portal, telegram=channel)), asyncio.timeout(PATIENCE):
            await channel.arrived.wait()
    channel.hold = None


async def test_after_a_kill_an_idempotent_provider_is_asked_again_with_the_same_key(
    folder: Path, clock: MovableClock
) -> None:
    channel = ScriptedChannel()
    await killed_while_sending(folder, clock, channel)
    async with opened(folder, clock) as portal:
        dispatcher = dispatcher_of(portal, telegram=channel)
        clock.move(seconds=LEASE.total_seconds() - 1)
        await dispatch(dispatcher)
        assert len(channel.asked) == 1  # another process may still be at it
        clock.move(seconds=1)
        await dispatch(dispatcher)

        first, second = channel.asked
        assert (first.idempotency_key, first.code) == (second.idempotency_key, second.code)
        assert (await last_row(portal)).delivery == DeliveryState.SENT


async def test_after_a_kill_a_provider_that_would_call_twice_is_not_asked_again(
    folder: Path, clock: MovableClock
) -> None:
    channel = ScriptedChannel(idempotent=False)
    await killed_while_sending(folder, clock, channel)
    clock.move(seconds=LEASE.total_seconds())
    async with opened(folder, clock) as portal:
        await dispatch(dispatcher_of(portal, telegram=channel))
        view = await portal.recovery.current(ANNA)

    assert len(channel.asked) == 1
    assert view is not None
    assert (view.delivery, view.problem, view.fallback_now) == (
        DeliveryState.FAILED,
        DeliveryProblem.CHANNEL_DOWN,
        True,
    )


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (NumberNotReachable(), DeliveryProblem.NUMBER_NOT_REACHABLE),
        (NumberRefused(), DeliveryProblem.NUMBER_REFUSED),
        (OutOfMoney(), DeliveryProblem.CHANNEL_DOWN),
        (ProviderRefused(), DeliveryProblem.CHANNEL_DOWN),
        (ProviderDown(), DeliveryProblem.CHANNEL_DOWN),
        (DeliveryFailed(), DeliveryProblem.CHANNEL_DOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_a_refusal_of_the_provider_becomes_a_problem_of_the_patient(
    portal: Portal, error: DeliveryFailed, problem: DeliveryProblem
) -> None:
    await begun(portal)
    channel = ScriptedChannel()
    channel.answers.append(error)
    dispatcher = dispatcher_of(portal, telegram=channel)
    await dispatch(dispatcher)
    await dispatch(dispatcher)

    row = await last_row(portal)
    assert (row.delivery, row.problem, row.due_at) == (DeliveryState.FAILED, problem, None)
    assert len(channel.asked) == 1


async def test_what_is_logged_of_a_refusal_names_no_phone_and_no_code(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    row = await begun(portal)
    channel = ScriptedChannel()
    channel.answers.append(ProviderDown(f"{KNOWN} {code_in(portal, row)}"))
    await dispatch(dispatcher_of(portal, telegram=channel))

    assert "ProviderDown" in caplog.text
    assert KNOWN not in caplog.text
    assert not holds_code(caplog.text, code_in(portal, row))


@pytest.mark.parametrize(
    ("error", "logged", "alarm"),
    [
        (OutOfMoney("scripted", code="201"), "OutOfMoney (201)", "provider-without-money: scripted has no money (201)"),
        (ProviderRefused("scripted", code="301"), "ProviderRefused (301)", "provider-refuses: scripted refuses us"),
        (NumberRefused("scripted"), "NumberRefused (-)", ""),
        (ProviderDown("scripted", code="timeout"), "ProviderDown (timeout)", ""),
    ],
)
async def test_the_providers_own_code_is_logged_and_what_is_to_be_mended_is_an_alarm(
    portal: Portal, caplog: pytest.LogCaptureFixture, error: DeliveryFailed, logged: str, alarm: str
) -> None:
    await begun(portal)
    channel = ScriptedChannel()
    channel.answers.append(error)
    await dispatch(dispatcher_of(portal, telegram=channel))

    assert logged in caplog.text
    assert f"ALARM {alarm}" in caplog.text if alarm else "ALARM" not in caplog.text


async def test_a_way_that_was_switched_off_after_the_begin_counts_as_failed(portal: Portal) -> None:
    await begun(portal)
    await dispatch(dispatcher_of(portal, flash_call=ScriptedChannel()))

    assert (await last_row(portal)).delivery == DeliveryState.FAILED


async def test_the_code_that_counts_is_the_one_the_provider_chose(portal: Portal) -> None:
    row = await begun(portal, CALL)
    ours = code_in(portal, row)
    channel = ScriptedChannel()
    channel.answers.append(wrong(ours, 5))
    await dispatch(dispatcher_of(portal, flash_call=channel))

    assert (await portal.recovery.confirm_code(ANNA, f"+7 495 000 {wrong(ours, 5)}")).step is RecoveryStep.NEW_PASSWORD


async def test_a_replaced_code_is_not_sent(portal: Portal, clock: MovableClock) -> None:
    await begun(portal)
    clock.move(seconds=60)
    await portal.recovery.resend(ANNA, TELEGRAM)
    channel = ScriptedChannel()
    await dispatch(dispatcher_of(portal, telegram=channel))

    assert [message.idempotency_key for message in channel.asked] == [(await last_row(portal)).id]


async def test_an_expired_code_is_not_sent(portal: Portal, clock: MovableClock) -> None:
    await begun(portal)
    clock.move(minutes=10)
    channel = ScriptedChannel()
    await dispatch(dispatcher_of(portal, telegram=channel))

    assert channel.asked == []
    assert (await last_row(portal)).due_at is None


async def test_a_code_replaced_while_it_is_being_sent_does_not_come_back_to_life(
    portal: Portal, clock: MovableClock
) -> None:
    old = await begun(portal)
    channel = ScriptedChannel(hold=asyncio.Event())
    dispatcher = dispatcher_of(portal, telegram=channel)
    await dispatcher.outbox.turn()
    await channel.arrived.wait()
    clock.move(seconds=60)
    await portal.recovery.begin(BORIS, KNOWN, TELEGRAM)
    assert channel.hold is not None
    channel.hold.set()
    await settled(dispatcher.outbox)

    view = await portal.recovery.current(ANNA)
    assert view is not None
    assert not view.code_alive
    assert (await rows_of(portal))[0].id == old.id
    assert (await rows_of(portal))[0].replaced_at == clock.now


# --- reports ----------------------------------------------------------------------------------------------------


async def sent(portal: Portal) -> tuple[CodeDispatcher, ScriptedChannel, str]:
    row = await begun(portal)
    channel = ScriptedChannel()
    dispatcher = dispatcher_of(portal, telegram=channel)
    await dispatch(dispatcher)
    return dispatcher, channel, f"ref-{row.id}"


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        (["delivered"], DeliveryState.DELIVERED),
        (["delivered", "delivered"], DeliveryState.DELIVERED),
        (["delivered", "read"], DeliveryState.READ),
        (["read", "delivered"], DeliveryState.READ),
        (["read", "sent"], DeliveryState.READ),
        (["failed"], DeliveryState.FAILED),
        (["failed", "failed"], DeliveryState.FAILED),
        (["delivered", "failed"], DeliveryState.DELIVERED),
        (["failed", "delivered"], DeliveryState.FAILED),
        (["sent"], DeliveryState.SENT),
    ],
    ids=str,
)
async def test_reports_late_twice_and_out_of_order_come_to_one_state(
    portal: Portal, reports: list[str], state: DeliveryState
) -> None:
    dispatcher, channel, ref = await sent(portal)
    known = [await dispatcher.take_report(channel.provider, ref, DeliveryReport(report)) for report in reports]

    row = await last_row(portal)
    assert known == [True] * len(reports)
    assert row.delivery == state
    assert row.problem == (DeliveryProblem.NOT_ANSWERED if state is DeliveryState.FAILED else "")


async def test_a_report_on_a_stranger_is_unknown_and_changes_nothing(portal: Portal) -> None:
    dispatcher, channel, ref = await sent(portal)

    assert not await dispatcher.take_report(channel.provider, "ref-unknown", DeliveryReport.FAILED)
    assert not await dispatcher.take_report("another", ref, DeliveryReport.FAILED)
    assert (await last_row(portal)).delivery == DeliveryState.SENT


async def test_the_provider_is_asked_until_its_report_is_final(portal: Portal, clock: MovableClock) -> None:
    dispatcher, channel, _ = await sent(portal)
    channel.reports.extend([None, ProviderDown("down"), DeliveryReport.DELIVERED, DeliveryReport.READ])
    seen = []
    for _ in range(8):
        clock.move(seconds=30)
        await dispatch(dispatcher)
        seen.append((await last_row(portal)).delivery)

    assert seen[:4] == ["sent", "sent", "delivered", "read"]
    assert set(seen[4:]) == {"read"}
    assert channel.report_asked == 4


async def test_nobody_asks_after_a_code_that_is_over(portal: Portal, clock: MovableClock) -> None:
    dispatcher, channel, _ = await sent(portal)
    clock.move(minutes=10)
    await dispatch(dispatcher)

    assert channel.report_asked == 0
    assert (await last_row(portal)).due_at is None


class CuriousChannel(ScriptedChannel):
    """Likes to hear that its code was entered."""

    entered: list[tuple[str, str]]

    async def report_entered(self, provider_ref: str, code: str) -> None:
        self.entered.append((provider_ref, code))


async def test_a_provider_that_wants_to_know_hears_once_that_its_code_was_entered(portal: Portal) -> None:
    row = await begun(portal)
    channel = CuriousChannel()
    channel.entered = []
    dispatcher = dispatcher_of(portal, telegram=channel)
    await dispatch(dispatcher)
    await portal.recovery.confirm_code(ANNA, code_in(portal, row))
    await dispatch(dispatcher)
    await dispatch(dispatcher)

    assert channel.entered == [(f"ref-{row.id}", code_in(portal, row))]


# --- the loop ---------------------------------------------------------------------------------------------------


class BrokenOnce(Database):
    """A database that does not answer the first question."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.broken = 0
        self.failed = asyncio.Event()

    async def read(self, *question: Any, **facts: Any) -> Any:
        if not self.broken:
            self.broken += 1
            self.failed.set()
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))
        return await super().read(*question, **facts)


async def test_an_error_of_the_database_is_survived(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    await begun(portal)
    channel = ScriptedChannel()
    database = BrokenOnce(portal.database.engine.url.render_as_string(hide_password=False))
    dispatcher = CodeDispatcher(database, portal.clock, portal.recovery.codes.issuer, {TELEGRAM: (channel,)})
    async with turning(dispatcher), asyncio.timeout(PATIENCE):
        await database.failed.wait()
        assert not dispatcher.outbox.is_running()
        dispatcher.outbox.wake()
        await channel.arrived.wait()

    await database.close()
    assert "could not read the codes to send" in caplog.text
    assert database.broken == 1


async def test_an_error_nobody_expected_in_one_code_leaves_the_others_alone(
    portal: Portal, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Breaking(ScriptedChannel):
        async def send_code(self, message):  # type: ignore[no-untyped-def]
            if message.phone.e164 == KNOWN:
                raise ZeroDivisionError
            return await super().send_code(message)

    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)
    channel = Breaking()
    dispatcher = dispatcher_of(portal, flash_call=channel)
    with suppress(ZeroDivisionError):
        await dispatch(dispatcher)
    with suppress(ZeroDivisionError):
        await settled(dispatcher.outbox)

    assert [message.phone.e164 for message in channel.asked] == [OTHER_KNOWN]
    assert "its lease will run out" in caplog.text


async def test_waking_makes_it_look_at_once(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "IDLE_PAUSE", timedelta(hours=1))  # by itself it would not look again
    channel = ScriptedChannel()
    dispatcher = dispatcher_of(portal, telegram=channel)
    async with turning(dispatcher):
        while not dispatcher.outbox.is_running():
            await asyncio.sleep(0)
        await begun(portal)
        dispatcher.outbox.wake()
        async with asyncio.timeout(PATIENCE):
            await channel.arrived.wait()

    assert len(channel.asked) == 1


@asynccontextmanager
async def serving(portal: Portal, **channels: ScriptedChannel) -> AsyncIterator[tuple[Portal, CodeDispatcher]]:
    """A portal whose codes are left to a dispatcher that turns."""
    dispatcher = dispatcher_of(portal, **channels)
    codes = replace(portal.recovery.codes, enqueue=dispatcher.enqueue)
    served = replace(portal, recovery=replace(portal.recovery, codes=codes))
    async with turning(dispatcher):
        while not dispatcher.outbox.is_running():
            await asyncio.sleep(0)
        yield served, dispatcher


@pytest.fixture
def _no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "IDLE_PAUSE", timedelta(hours=1))


@pytest.mark.usefixtures("_no_second_look")
async def test_the_transaction_that_makes_a_code_leases_it_for_a_process_with_room(
    portal: Portal, clock: MovableClock
) -> None:
    channel = ScriptedChannel(hold=asyncio.Event())
    async with serving(portal, telegram=channel) as (served, dispatcher), asyncio.timeout(PATIENCE):
        commits = portal.database.commits
        await begun(served)
        await channel.arrived.wait()
        row = await last_row(portal)
        assert portal.database.commits == commits + 1
        assert (row.delivery, row.provider, row.attempts) == (DeliveryState.SENDING, channel.provider, 1)
        assert row.due_at == clock.now + LEASE
        assert channel.hold is not None
        channel.hold.set()
        await settled(dispatcher.outbox)

    row = await last_row(portal)
    assert (row.delivery, row.provider_ref) == (DeliveryState.SENT, f"ref-{row.id}")
    assert (len(channel.asked), portal.database.commits) == (1, commits + 2)


@pytest.mark.usefixtures("_no_second_look")
async def test_a_code_without_a_place_waits_for_one(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "SENDS_AT_ONCE", 1)
    channel = ScriptedChannel(hold=asyncio.Event())
    async with serving(portal, telegram=channel) as (served, dispatcher), asyncio.timeout(PATIENCE):
        await begun(served)
        await channel.arrived.wait()
        await served.recovery.begin(BORIS, OTHER_KNOWN, TELEGRAM)
        assert (await last_row(portal, OTHER_KNOWN)).delivery == DeliveryState.QUEUED
        assert channel.hold is not None
        channel.hold.set()
        while len(channel.asked) < 2:
            await asyncio.sleep(0.01)
        await settled(dispatcher.outbox)

    assert [message.phone.e164 for message in channel.asked] == [KNOWN, OTHER_KNOWN]


@pytest.mark.usefixtures("_no_second_look")
async def test_a_code_whose_way_is_not_served_here_is_left_for_the_loop(portal: Portal) -> None:
    async with serving(portal, flash_call=ScriptedChannel()) as (served, dispatcher), asyncio.timeout(PATIENCE):
        await begun(served)
        while (await last_row(portal)).delivery != DeliveryState.FAILED:
            await asyncio.sleep(0.01)
        await settled(dispatcher.outbox)

    assert (await last_row(portal)).problem == DeliveryProblem.CHANNEL_DOWN


async def test_when_it_ends_no_work_is_left_that_needs_the_database(portal: Portal) -> None:
    await begun(portal)
    channel = ScriptedChannel(hold=asyncio.Event())
    dispatcher = dispatcher_of(portal, telegram=channel)
    before = asyncio.all_tasks()
    async with turning(dispatcher), asyncio.timeout(PATIENCE):
        await channel.arrived.wait()

    assert asyncio.all_tasks() == before


async def test_it_says_that_it_runs_only_while_it_turns(portal: Portal, clock: MovableClock) -> None:
    dispatcher = dispatcher_of(portal)
    assert not dispatcher.outbox.is_running()
    async with turning(dispatcher):
        async with asyncio.timeout(PATIENCE):
            while not dispatcher.outbox.is_running():
                await asyncio.sleep(0)
    clock.move(seconds=STALLED_AFTER.total_seconds() - 1)
    assert dispatcher.outbox.is_running()
    clock.move(seconds=1)

    assert not dispatcher.outbox.is_running()
    assert IDLE_PAUSE < STALLED_AFTER
