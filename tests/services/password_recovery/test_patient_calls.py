"""«Позвоните нам»: a call of the patient's proves a number weakly, to the browser that waits for it alone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    BirthDateMismatch,
    CallAwaited,
    CallNotSeen,
    CallOver,
    ChannelUnavailable,
    CodeUsedUp,
    DeliveryFailed,
    MedonlineError,
    NoRecoveryInProgress,
    OutOfMoney,
    ProviderDown,
    TooManyCodes,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState
from medonline.services.limits.code_limits import CodePlace
from medonline.services.password_recovery.reader import RecoveryView
from medonline.services.ports import DeliveryReport
from medonline.storage.queries import channel_switches
from tests.services.patient_calls import (
    BORN,
    CALLS,
    ME,
    NEW,
    NUMBER,
    OTHER,
    ScriptedNumber,
    World,
    world_in,
)
from tests.services.world import (
    BORIS,
    CALL,
    KNOWN,
    SMS,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    current_of,
    dispatch,
    dispatcher_of,
    last_code,
    last_row,
    opened,
    patient_with,
    recoveries_of,
    rows_of,
    sign_in,
    statements,
    writes_in,
)


@pytest.fixture
async def world(folder: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with world_in(folder, clock) as made:
        yield made


async def test_a_call_and_the_birth_date_lead_to_a_new_password(world: World) -> None:
    view = await world.begin()
    assert (view.step, view.call_number, view.delivery) == (RecoveryStep.CODE, NUMBER, DeliveryState.SENT)
    assert view.expires_at - view.issued_at == timedelta(minutes=5)
    assert world.vendor.asked[0].code == ""
    await world.call()

    view = await world.wait()
    assert (view.step, view.call_number) == (RecoveryStep.BIRTH_DATE, "")
    assert (await world.portal.recovery.confirm_birth_date(ME, BORN)).step is RecoveryStep.NEW_PASSWORD
    assert (await world.portal.recovery.set_password(ME, NEW)).step is RecoveryStep.DONE
    await sign_in(world.portal, BORIS, KNOWN, NEW)


@pytest.mark.parametrize("step_up", ["never", "risk", "always"])
@pytest.mark.parametrize("phone", [KNOWN, UNKNOWN])
async def test_whatever_the_operator_chose_a_call_alone_opens_nothing(
    folder: Path, clock: MovableClock, step_up: str, phone: str
) -> None:
    async with world_in(folder, clock, step_up=step_up) as world:
        assert (await world.at_birth_date(phone=phone)).step is RecoveryStep.BIRTH_DATE
        with pytest.raises(NoRecoveryInProgress):
            await world.portal.recovery.set_password(ME, NEW)
        for weak in (CALLS, CALL):
            with pytest.raises(NoRecoveryInProgress):
                await world.portal.recovery.resend(ME, weak)


async def test_six_digits_take_the_place_of_the_birth_date(world: World) -> None:
    await world.at_birth_date()
    assert (await current_of(world.portal, ME)).ready_channels == (CALL, TELEGRAM, SMS)
    assert (await world.portal.recovery.resend(ME, TELEGRAM)).step is RecoveryStep.CODE
    view = await world.portal.recovery.confirm_code(ME, await last_code(world.portal))
    assert view.step is RecoveryStep.NEW_PASSWORD


async def test_the_vendor_is_asked_only_while_a_browser_waits_and_no_oftener_than_every_two_seconds(
    world: World,
) -> None:
    await world.begin()
    world.clock.move(seconds=2)
    await dispatch(world.dispatcher)
    assert world.vendor.report_asked == 1
    for _ in range(5):  # nobody looks
        world.clock.move(seconds=5)
        await dispatch(world.dispatcher)
    assert world.vendor.report_asked == 1

    for _ in range(40):  # ten looks a second
        await world.portal.recovery.follow(ME)
        await dispatch(world.dispatcher)
        world.clock.move(seconds=0.1)
    assert world.vendor.report_asked <= 3
    world.clock.move(minutes=5)
    asked = world.vendor.report_asked
    await world.wait()
    assert world.vendor.report_asked == asked


async def test_the_outcome_is_told_to_the_browser_that_began_alone(world: World) -> None:
    await world.begin(ME)
    await world.call()
    for ask in (world.portal.recovery.follow(OTHER), world.portal.recovery.current(OTHER)):
        assert await ask is None
    with pytest.raises(NoRecoveryInProgress):
        await world.portal.recovery.take_call(OTHER)
    assert (await world.wait(ME)).step is RecoveryStep.BIRTH_DATE
    # In the next sitting of the same browser it is not there either.
    assert await world.portal.recovery.follow(replace(ME, sitting_key="3" * 64)) is None


async def test_a_strangers_wait_is_never_answered_by_the_owners_call(world: World) -> None:
    """The vendor gives both the same number: of two waits for one phone only the first is there."""
    await world.begin(ME)
    world.clock.move(seconds=90)
    with pytest.raises(CallAwaited) as refusal:
        await world.portal.recovery.begin(OTHER, KNOWN, CALLS)
    assert refusal.value.until - world.clock() == timedelta(seconds=210)

    # Codes that the stranger asks for end the owner's wait neither, and so make no room for one of the stranger's.
    await world.portal.recovery.begin(OTHER, KNOWN, TELEGRAM)
    with pytest.raises(CallAwaited):
        await world.portal.recovery.resend(OTHER, CALLS)
    await world.call()
    assert (await world.wait(ME)).step is RecoveryStep.BIRTH_DATE
    assert (await current_of(world.portal, OTHER)).step is RecoveryStep.CODE


@pytest.mark.parametrize("phone", [KNOWN, UNKNOWN])
async def test_who_lost_the_cookies_is_told_until_when_and_what_works_at_once(world: World, phone: str) -> None:
    """Nothing tells that browser from a stranger's, and a stranger must not take the wait over: the owner may be dialling."""
    began = world.clock()
    await world.begin(ME, phone)
    for _ in range(2):  # at once, when the pause of the number would end before the wait, and later
        with pytest.raises(CallAwaited) as refusal:
            await world.portal.recovery.begin(OTHER, phone, CALLS)
        assert (refusal.value.now, refusal.value.until) == (world.clock(), began + timedelta(minutes=5))
        assert refusal.value.better == CALL
        world.clock.move(minutes=2)
    assert (await world.portal.recovery.begin(OTHER, phone, CALL)).code_alive  # it is true

    with pytest.raises(CallAwaited) as refusal:
        await world.portal.recovery.resend(OTHER, CALLS)
    assert refusal.value.better is None  # a code was asked for just now: no other one may be, for a minute
    world.clock.now = began + timedelta(minutes=5)
    assert (await world.begin(OTHER, phone)).awaits_call


async def test_a_limit_that_ends_after_the_wait_is_told_instead_of_it(world: World) -> None:
    for _ in range(3):
        await world.begin(ME)
        world.clock.move(minutes=6)
    world.clock.move(minutes=-5)  # the third wait lasts
    with pytest.raises(TooManyCodes):
        await world.portal.recovery.begin(OTHER, KNOWN, CALLS)


async def test_a_way_that_is_off_is_not_advised_to_who_must_wait_for_a_call(world: World) -> None:
    await world.portal.switches.switch_off(CALL, "Звонки не доходят")
    await world.portal.switches.load()
    await world.begin(ME)
    with pytest.raises(CallAwaited) as refusal:
        await world.portal.recovery.begin(OTHER, KNOWN, CALLS)
    assert refusal.value.better == TELEGRAM

    for channel in (TELEGRAM, SMS):
        await world.portal.switches.switch_off(channel, "Идут работы", calls_alone=True)
    await world.portal.switches.load()
    with pytest.raises(CallAwaited) as refusal:
        await world.portal.recovery.begin(OTHER, KNOWN, CALLS)
    assert refusal.value.better is None


async def test_a_strangers_waits_take_nothing_from_the_owners_codes(world: World) -> None:
    for _ in range(3):
        await world.begin(OTHER)
        world.clock.move(minutes=5)
    with pytest.raises(MedonlineError):
        await world.portal.recovery.begin(OTHER, KNOWN, CALLS)  # three in an hour: its own limit

    view = await world.begin(ME, way=TELEGRAM)
    assert view.code_alive
    world.clock.move(minutes=1)
    # A stranger's wait leaves the owner's code alone.
    world.clock.move(minutes=50)
    await world.portal.recovery.begin(ME, KNOWN, TELEGRAM)
    code = await last_code(world.portal)
    await world.portal.recovery.begin(OTHER, KNOWN, CALLS)
    assert (await world.portal.recovery.confirm_code(ME, code)).step is RecoveryStep.NEW_PASSWORD


async def test_wrong_dates_after_calls_do_not_close_the_step_for_who_receives_codes(
    world: World, clock: MovableClock
) -> None:
    for number in range(3):
        view = await world.at_birth_date(OTHER)
        if number == 2:
            assert view.step is RecoveryStep.REFUSED
            break
        for day in (1, 2, 3):
            with pytest.raises(BirthDateMismatch):
                await world.portal.recovery.confirm_birth_date(OTHER, f"0{day}.01.1990")
        await world.portal.recovery.leave(OTHER)
        clock.move(minutes=5)

    await world.begin(ME, way=CALL)
    code = await last_code(world.portal)
    async with world_in_again(world, step_up="always") as again:
        assert (await again.recovery.confirm_code(ME, code)).step is RecoveryStep.BIRTH_DATE
        assert (await again.recovery.confirm_birth_date(ME, BORN)).step is RecoveryStep.NEW_PASSWORD


@asynccontextmanager
async def world_in_again(world: World, **changes: object) -> AsyncIterator[Portal]:
    """Another process over the same database, with other settings."""
    ways = {"code_channels": (CALL, TELEGRAM, SMS, CALLS)}
    async with opened(world.portal.config.data_dir, world.clock, **ways | changes) as portal:
        yield portal


async def test_wrong_dates_after_codes_close_the_step_after_calls(folder: Path, clock: MovableClock) -> None:
    """Who receives the codes can call, too: the dates of both together are bounded."""
    async with world_in(folder, clock, step_up="always") as world:
        for _ in range(2):
            await world.begin(OTHER, way=CALL)
            await world.portal.recovery.confirm_code(OTHER, await last_code(world.portal))
            with pytest.raises(BirthDateMismatch):
                await world.portal.recovery.confirm_birth_date(OTHER, "01.01.1990")
            await world.portal.recovery.leave(OTHER)
            clock.move(minutes=10)

        assert (await world.at_birth_date(ME)).step is RecoveryStep.REFUSED


async def test_a_call_makes_no_later_code_look_recent_enough(world: World) -> None:
    before = (await patient_with(world.portal)).phone_proved_at
    await world.at_birth_date()
    await world.portal.recovery.confirm_birth_date(ME, BORN)
    assert (await patient_with(world.portal)).phone_proved_at == before


async def test_a_call_is_used_once(world: World) -> None:
    await world.begin()
    await world.call()
    await world.portal.recovery.follow(ME)
    world.clock.move(seconds=2)
    await dispatch(world.dispatcher)
    results = await asyncio.gather(*(world.portal.recovery.take_call(ME) for _ in range(4)), return_exceptions=True)
    assert {view.step for view in results if isinstance(view, RecoveryView)} == {RecoveryStep.BIRTH_DATE}
    assert len([row for row in await rows_of(world.portal) if row.confirmed_at is not None]) == 1

    await world.portal.recovery.leave(ME)
    await world.portal.recovery.begin(ME, KNOWN, TELEGRAM)
    with pytest.raises(CodeUsedUp):
        await world.portal.recovery.take_call(ME)
    assert len(await recoveries_of(world.portal)) == 2


async def test_a_call_that_came_too_late_opens_nothing(world: World) -> None:
    await world.begin()
    await world.call()
    world.clock.move(minutes=5)
    view = await world.wait()
    assert (view.step, view.code_alive, view.call_number) == (RecoveryStep.CODE, False, "")
    with pytest.raises(CallOver):
        await world.portal.recovery.take_call(ME)
    assert world.vendor.report_asked == 0


async def test_a_call_seen_in_time_is_not_taken_after_it(world: World) -> None:
    await world.begin()
    await world.call()
    world.clock.move(seconds=2)
    await dispatch(world.dispatcher)
    assert (await last_row(world.portal)).delivery == DeliveryState.DELIVERED
    world.clock.move(minutes=5)
    assert (await world.wait()).step is RecoveryStep.CODE


async def test_pressing_before_the_call_says_so_and_costs_nothing(world: World) -> None:
    await world.begin()
    for _ in range(5):
        with pytest.raises(CallNotSeen):
            await world.portal.recovery.take_call(ME)
    await world.call()
    world.clock.move(seconds=4)
    await dispatch(world.dispatcher)
    assert (await world.portal.recovery.take_call(ME)).step is RecoveryStep.BIRTH_DATE


@pytest.mark.parametrize("typed", ["0", "0000", "000000", NUMBER])
async def test_nothing_that_is_typed_opens_it(world: World, typed: str) -> None:
    await world.begin()
    with pytest.raises(CallNotSeen):
        await world.portal.recovery.confirm_code(ME, typed)
    assert (await last_row(world.portal)).misses == 0


async def test_known_and_unknown_numbers_cost_the_same(world: World) -> None:
    logs = []
    for phone in (KNOWN, UNKNOWN):
        with statements(world.portal) as seen:
            assert (await world.at_birth_date(phone=phone)).step is RecoveryStep.BIRTH_DATE
            with pytest.raises(BirthDateMismatch):
                await world.portal.recovery.confirm_birth_date(ME, "01.01.1990")
        logs.append(writes_in(seen))
        await world.portal.recovery.leave(ME)
        world.clock.move(minutes=10)
    assert logs[0] == logs[1]


@pytest.mark.parametrize("error", [OutOfMoney("no money"), ProviderDown("silence")])
async def test_a_vendor_in_trouble_offers_another_way_at_once(world: World, error: DeliveryFailed) -> None:
    error.may_have_gone_out = False
    world.vendor.answers = deque([error])
    view = await world.begin()
    assert (view.delivery, view.problem) == (DeliveryState.FAILED, DeliveryProblem.CHANNEL_DOWN)
    assert TELEGRAM in view.ready_channels
    assert (await world.portal.recovery.resend(ME, TELEGRAM)).channel is TELEGRAM


async def test_the_next_vendor_names_a_number(folder: Path, clock: MovableClock) -> None:
    async with world_in(folder, clock) as world:
        first = ScriptedNumber(provider="first", answers=deque([OutOfMoney("no money")]))
        second = ScriptedNumber(provider="second")
        dispatcher = dispatcher_of(world.portal, inbound_call=(first, second))
        await world.portal.recovery.begin(ME, KNOWN, CALLS)
        await dispatch(dispatcher)
        row = await last_row(world.portal)
        assert (row.provider, row.call_number, row.delivery) == ("second", NUMBER, DeliveryState.SENT)


async def test_a_status_that_cannot_be_read_is_asked_again(world: World) -> None:
    await world.begin()
    await world.call()
    world.vendor.reports = deque([ProviderDown("500"), ProviderDown("500")])
    assert (await world.wait(looks=5)).step is RecoveryStep.BIRTH_DATE


async def test_what_the_vendor_waits_for_no_more_is_over_here_too(world: World) -> None:
    await world.begin()
    await world.call(DeliveryReport.FAILED)
    view = await world.wait()
    assert (view.delivery, view.problem) == (DeliveryState.FAILED, DeliveryProblem.NOT_ANSWERED)


async def test_a_call_that_nobody_made_says_nothing_of_the_way(world: World) -> None:
    for report in (None, DeliveryReport.FAILED):
        await world.begin()
        if report is not None:
            await world.call(report)
            await world.wait()
        world.clock.move(minutes=6)
    with world.portal.database.reading() as session:
        now = world.clock()
        found = channel_switches.outcomes(session, CALLS, now - timedelta(hours=1), now, DeliveryState.FAILED, 10)
    assert found == []


async def test_no_other_flow_takes_a_call_for_a_proof(world: World) -> None:
    assert CALLS in await world.portal.recovery.open_channels()
    for codes in (world.portal.settings.codes, world.portal.answers.codes):
        with world.portal.database.reading() as session:
            assert CALLS not in codes.open_channels(session, world.clock())
        with world.portal.database.reading() as session:
            request = codes.request("flow", world_place(KNOWN), CALLS)
            with pytest.raises(ChannelUnavailable):
                codes.begin(session, request, world.clock())


def world_place(phone: str) -> CodePlace:
    return CodePlace(PhoneNumber(phone), "", "c" * 32, None)


async def test_the_same_number_again_in_the_same_recovery_ends_the_wait_before(world: World) -> None:
    await world.begin()
    await world.call()
    first = (await last_row(world.portal)).provider_ref
    world.clock.move(minutes=1)
    world.vendor.seen.clear()
    await world.portal.recovery.resend(ME, CALLS)
    await dispatch(world.dispatcher)
    world.vendor.seen[first] = DeliveryReport.DELIVERED
    assert (await world.wait()).step is RecoveryStep.CODE
    await world.call()
    assert (await world.wait()).step is RecoveryStep.BIRTH_DATE


async def test_a_browser_that_gave_its_wait_up_may_wait_again(world: World) -> None:
    await world.begin()
    world.clock.move(minutes=1)
    await world.begin(way=TELEGRAM)  # «Назад», and another way
    world.clock.move(minutes=1)
    assert (await world.begin()).call_number == NUMBER
