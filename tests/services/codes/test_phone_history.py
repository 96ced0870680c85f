"""What the last codes to a phone allow next: the end of the pause, the end of the limit, the way out after a failure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.codes.channels import CALLED, ChannelName
from medonline.domain.codes.one_time_code import CodePolicy
from medonline.domain.errors import NumberNotReachable, ProviderDown, RateLimited, TooManyCodes
from medonline.domain.limits import Limit
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.delivery import IN_FLIGHT, DeliveryState
from medonline.services.codes.phone_history import PhoneHistory
from medonline.services.ports import DeliveryReport
from medonline.storage.queries.codes import PastCode
from tests.services.limits.asking import pause_of
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    SMS,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    current_of,
    dispatch,
    dispatcher_of,
    opened,
    rows_of,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = CodePolicy(
    life={CALL: 5 * MINUTE, TELEGRAM: 10 * MINUTE},
    guesses=3,
    resend_pauses=(1 * MINUTE, 2 * MINUTE, 5 * MINUTE),
    per_phone=(Limit(3, timedelta(hours=1)),),
)
FAILED, SENT = DeliveryState.FAILED, DeliveryState.SENT


def code(ago: timedelta, way: ChannelName = CALL, delivery: DeliveryState = SENT, *, replaced: bool = True) -> PastCode:
    return PastCode(NOW - ago, way, delivery, replaced)


def history(*newest_first: PastCode, policy: CodePolicy = POLICY) -> PhoneHistory:
    return PhoneHistory(policy, newest_first)


def test_a_phone_without_codes_may_have_one() -> None:
    assert history().resend_at is None
    assert history().refusal(CALL, NOW) is None


def test_only_a_history_that_is_whole_says_that_no_code_is_live() -> None:
    spent, live = code(MINUTE), replace(code(2 * MINUTE), open=True)
    needed = PhoneHistory.codes_needed(POLICY)

    assert not history().may_have_live
    assert not history(spent, spent).may_have_live
    assert history(spent, live).may_have_live
    # Of more codes than are read the live one may be among the oldest, where the clock was set back.
    assert history(*[spent] * needed).may_have_live


def test_what_a_new_code_makes_of_the_history_is_what_would_be_read() -> None:
    live, confirmed = replace(code(MINUTE, replaced=False), open=True), code(2 * MINUTE, replaced=False)
    after = history(live, confirmed).followed_by(NOW, TELEGRAM, DeliveryState.QUEUED)

    newest = PastCode(NOW, TELEGRAM, DeliveryState.QUEUED, replaced=False, open=True)
    assert after.codes == (newest, replace(live, replaced=True, open=False), confirmed)
    read = PhoneHistory.looked_at(POLICY)
    assert len(history(*[code(MINUTE)] * read).followed_by(NOW, CALL, SENT).codes) == read


def test_calls_of_patients_and_codes_leave_each_other_alone() -> None:
    awaited = replace(code(MINUTE / 2, CALLED[0], SENT, replaced=False), open=True)
    live = replace(code(MINUTE / 2, replaced=False), open=True)

    assert history(awaited, *[replace(awaited, open=False)] * 2).refusal(CALL, NOW) is None
    assert history(live, code(20 * MINUTE), code(40 * MINUTE)).refusal(CALLED[0], NOW) is None
    assert isinstance(history(awaited).refusal(CALLED[0], NOW), RateLimited)
    assert live in history(live).followed_by(NOW, CALLED[0], SENT).codes
    assert awaited in history(awaited).followed_by(NOW, CALL, SENT).codes
    assert awaited not in history(awaited).followed_by(NOW, CALLED[0], SENT).codes


async def test_the_history_after_a_code_is_the_one_that_is_read(portal: Portal, clock: MovableClock) -> None:
    for minutes in (0, 2, 5):
        clock.move(minutes=minutes)
        begun = await portal.recovery.begin(ANNA, KNOWN, CALL if minutes else TELEGRAM)
        assert begun == await current_of(portal, ANNA)


def test_the_pause_grows_with_the_codes_of_the_day() -> None:
    day = timedelta(days=1)
    one = history(code(30 * MINUTE / 60, replaced=False))
    two = history(code(30 * MINUTE / 60, replaced=False), code(day))
    yesterday = history(code(30 * MINUTE / 60, replaced=False), code(day + MINUTE))

    assert [each.resend_at for each in (one, two, yesterday)] == [
        NOW + 30 * MINUTE / 60,
        NOW + 90 * MINUTE / 60,
        NOW + 30 * MINUTE / 60,
    ]
    refusal = two.refusal(CALL, NOW)
    assert isinstance(refusal, RateLimited)
    assert refusal.resets_in == 90 * MINUTE / 60


def test_the_moment_itself_is_open_again() -> None:
    assert history(code(MINUTE, replaced=False)).refusal(CALL, NOW) is None
    assert history(code(MINUTE - timedelta(microseconds=1), replaced=False)).refusal(CALL, NOW) is not None


def test_a_full_limit_refuses_both_ways_even_after_a_failure() -> None:
    full = history(code(1 * MINUTE, CALL, FAILED, replaced=False), code(20 * MINUTE), code(40 * MINUTE))
    for way in (CALL, TELEGRAM):
        refusal = full.refusal(way, NOW)
        assert isinstance(refusal, TooManyCodes)
        assert refusal.until == NOW + 20 * MINUTE
    assert full.resend_at == NOW + 20 * MINUTE


def test_after_a_failure_the_other_way_needs_no_pause() -> None:
    failed = history(code(timedelta(0), CALL, FAILED, replaced=False))

    assert failed.refusal(TELEGRAM, NOW) is None
    assert isinstance(failed.refusal(CALL, NOW), RateLimited)


def test_after_both_ways_failed_there_is_a_pause_again() -> None:
    both = history(code(timedelta(0), TELEGRAM, FAILED, replaced=False), code(MINUTE, CALL, FAILED))

    assert isinstance(both.refusal(CALL, NOW), RateLimited)
    assert isinstance(both.refusal(TELEGRAM, NOW), RateLimited)


@pytest.mark.parametrize("before", [code(MINUTE, CALL, SENT), code(MINUTE, TELEGRAM, FAILED)])
def test_only_a_failure_of_the_other_way_just_before_takes_the_way_out_away(before: PastCode) -> None:
    assert history(code(timedelta(0), TELEGRAM, FAILED, replaced=False), before).refusal(CALL, NOW) is None


@pytest.mark.parametrize("delivery", IN_FLIGHT)
def test_the_other_way_needs_no_pause_after_fifteen_seconds_without_news(delivery: DeliveryState) -> None:
    def silent_for(seconds: float) -> PhoneHistory:
        return history(code(timedelta(seconds=seconds), TELEGRAM, delivery, replaced=False))

    assert isinstance(silent_for(14.9).refusal(CALL, NOW), RateLimited)
    assert silent_for(15).refusal(CALL, NOW) is None
    assert isinstance(silent_for(15).refusal(TELEGRAM, NOW), RateLimited)


@pytest.mark.parametrize("delivery", [DeliveryState.DELIVERED, DeliveryState.READ])
def test_news_keep_the_pause(delivery: DeliveryState) -> None:
    arrived = history(code(timedelta(seconds=30), TELEGRAM, delivery, replaced=False))

    assert isinstance(arrived.refusal(CALL, NOW), RateLimited)


@pytest.mark.parametrize("before", [*IN_FLIGHT, FAILED])
def test_a_silence_after_a_silence_has_a_pause(before: DeliveryState) -> None:
    both = history(code(MINUTE / 2, TELEGRAM, SENT, replaced=False), code(MINUTE, CALL, before))

    assert isinstance(both.refusal(CALL, NOW), RateLimited)


def test_a_silence_after_a_call_that_arrived_leads_back_to_the_call() -> None:
    silent = history(code(MINUTE / 2, TELEGRAM, SENT, replaced=False), code(MINUTE, CALL, DeliveryState.DELIVERED))

    assert silent.refusal(CALL, NOW) is None


def test_a_silence_passes_no_limit() -> None:
    full = history(code(MINUTE / 2, TELEGRAM, replaced=False), code(20 * MINUTE), code(40 * MINUTE))

    assert isinstance(full.refusal(CALL, NOW), TooManyCodes)


def test_the_last_code_is_the_one_that_none_replaced_whatever_the_clock_said() -> None:
    after_the_clock_was_set_back = history(code(timedelta(0)), code(10 * MINUTE, CALL, FAILED, replaced=False))

    assert after_the_clock_was_set_back.refusal(TELEGRAM, NOW) is None


def test_as_many_codes_are_read_as_the_policy_looks_at() -> None:
    def needed(count: int, pauses: int) -> int:
        limits = (Limit(count, timedelta(days=7)), Limit(1, timedelta(hours=1))) if count else ()
        return PhoneHistory.codes_needed(CodePolicy({}, 3, (MINUTE,) * pauses, limits))

    assert [needed(10, 3), needed(3, 5), needed(1, 1), needed(0, 1)] == [10, 5, 5, 5]


# --- of a portal ------------------------------------------------------------------------------------------------


async def test_pauses_grow_from_one_to_two_to_five_minutes(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, codes_per_phone="9 per 1 h") as portal:
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        for seconds in (60, 120, 300, 300):
            clock.move(seconds=seconds - 1)
            assert await pause_of(portal.recovery.resend(ANNA, CALL)) == timedelta(seconds=1)
            clock.move(seconds=1)
            view = await portal.recovery.resend(ANNA, CALL)
            assert view.issued_at == clock.now

        assert len(await rows_of(portal)) == 5


async def arrives(portal: Portal, clock: MovableClock) -> None:
    """The call rings, and two seconds later its provider says so."""
    dispatcher = dispatcher_of(portal, flash_call=ScriptedChannel(reports=deque([DeliveryReport.DELIVERED])))
    await dispatch(dispatcher)
    clock.move(seconds=2)
    await dispatch(dispatcher)


async def test_pauses_hold_over_all_browsers_and_ways(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await arrives(portal, clock)
    clock.move(seconds=18)

    assert await pause_of(portal.recovery.begin(BORIS, KNOWN, CALL)) == timedelta(seconds=40)
    assert await pause_of(portal.recovery.begin(BORIS, KNOWN, TELEGRAM)) == timedelta(seconds=40)
    assert await pause_of(portal.recovery.resend(ANNA, TELEGRAM)) == timedelta(seconds=40)
    clock.move(seconds=40)
    await portal.recovery.begin(BORIS, KNOWN, TELEGRAM)
    assert await pause_of(portal.recovery.resend(ANNA, CALL)) == timedelta(seconds=120)


async def test_a_pause_of_one_phone_is_none_of_another(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert (await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)).step is RecoveryStep.CODE


async def test_leaving_and_beginning_again_does_not_shorten_the_pause(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await arrives(portal, clock)
    await portal.recovery.leave(ANNA)
    clock.move(seconds=57)

    assert await pause_of(portal.recovery.begin(ANNA, KNOWN, TELEGRAM)) == timedelta(seconds=1)


async def test_after_a_day_pauses_start_small_again(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(minutes=1)
    await portal.recovery.resend(ANNA, CALL)
    clock.move(days=1, seconds=1)
    view = await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert view.resend_at - view.issued_at == timedelta(seconds=60)


async def test_after_a_failed_delivery_the_other_way_is_open_at_once(portal: Portal) -> None:
    channel = ScriptedChannel()
    channel.answers.append(NumberNotReachable("no Telegram"))
    dispatcher = dispatcher_of(portal, flash_call=channel, telegram=channel)
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    await dispatch(dispatcher)

    failed = await portal.recovery.current(ANNA)
    assert failed is not None
    assert (failed.delivery, failed.problem) == (DeliveryState.FAILED, "number_not_reachable")
    assert (failed.fallback_now, failed.code_alive) == (True, False)
    with pytest.raises(RateLimited):
        await portal.recovery.begin(BORIS, KNOWN, TELEGRAM)
    view = await portal.recovery.resend(ANNA, CALL)
    await dispatch(dispatcher)
    assert (view.channel, view.code_alive) == (CALL, True)
    assert (await portal.recovery.confirm_code(ANNA, channel.asked[-1].code)).step is RecoveryStep.NEW_PASSWORD


async def test_a_way_without_news_gives_way_to_the_other_after_fifteen_seconds(
    portal: Portal, clock: MovableClock
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    await dispatch(dispatcher_of(portal, telegram=ScriptedChannel()))
    clock.move(seconds=14)
    assert not (await current_of(portal, ANNA)).fallback_now
    clock.move(seconds=1)

    assert (await current_of(portal, ANNA)).fallback_now
    assert await pause_of(portal.recovery.resend(ANNA, TELEGRAM)) == timedelta(seconds=45)
    assert (await portal.recovery.resend(ANNA, CALL)).channel is CALL
    clock.move(seconds=15)
    assert await pause_of(portal.recovery.resend(ANNA, TELEGRAM)) == timedelta(seconds=105)


async def test_falling_back_ends_when_both_ways_have_failed(portal: Portal, clock: MovableClock) -> None:
    channel = ScriptedChannel()
    channel.answers.extend(ProviderDown("down") for _ in range(9))
    dispatcher = dispatcher_of(portal, flash_call=channel, telegram=channel)
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    await dispatch(dispatcher)
    clock.move(seconds=1)
    await portal.recovery.resend(ANNA, CALL)
    await dispatch(dispatcher)

    clock.move(seconds=10)
    assert await pause_of(portal.recovery.resend(ANNA, TELEGRAM)) == timedelta(seconds=110)
    assert await pause_of(portal.recovery.resend(ANNA, CALL)) == timedelta(seconds=110)
    assert await pause_of(portal.recovery.begin(BORIS, KNOWN, TELEGRAM)) == timedelta(seconds=110)
    assert not (await current_of(portal, ANNA)).fallback_now
    assert len(channel.asked) == 2


async def test_half_an_hour_of_trying_makes_a_bounded_number_of_sends_when_everything_fails(
    portal: Portal, clock: MovableClock
) -> None:
    channel = ScriptedChannel()
    channel.answers.extend(ProviderDown("down") for _ in range(100))
    dispatcher = dispatcher_of(portal, flash_call=channel, telegram=channel)
    for _ in range(60):
        for visitor in (ANNA, BORIS):
            for way in (CALL, TELEGRAM):
                try:
                    await portal.recovery.begin(visitor, KNOWN, way)
                except (RateLimited, TooManyCodes):
                    continue
                await dispatch(dispatcher)
        clock.move(seconds=30)

    assert len(channel.asked) == 3  # the limit of an hour, no matter who asks or what fails


async def test_with_three_ways_the_third_is_open_after_two_have_failed(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels=(CALL, TELEGRAM, SMS), codes_per_phone="9 per 1 h") as portal:
        channel = ScriptedChannel()
        channel.answers.extend(ProviderDown("down") for _ in range(9))
        dispatcher = dispatcher_of(portal, flash_call=channel, telegram=channel, sms=channel)
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        await dispatch(dispatcher)
        assert (await current_of(portal, ANNA)).ready_channels == (TELEGRAM, SMS)
        clock.move(seconds=1)
        await portal.recovery.resend(ANNA, TELEGRAM)
        await dispatch(dispatcher)
        assert (await current_of(portal, ANNA)).ready_channels == (SMS,)
        clock.move(seconds=1)
        await portal.recovery.resend(ANNA, SMS)
        await dispatch(dispatcher)

        assert (await current_of(portal, ANNA)).ready_channels == ()
        clock.move(seconds=10)
        for way in (CALL, TELEGRAM, SMS):
            assert await pause_of(portal.recovery.resend(ANNA, way)) is not None
