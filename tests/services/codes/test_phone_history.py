"""What the last codes to a phone allow next: the end of the pause, the end of the limit, the way out after a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from medonline.domain.codes.one_time_code import ChannelName, CodePolicy
from medonline.domain.errors import RateLimited, TooManyCodes
from medonline.domain.limits import Limit
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.phone_history import PhoneHistory
from medonline.storage.queries.codes import PastCode
from tests.services.world import CALL, TELEGRAM

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
    for way in ChannelName:
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


def test_the_last_code_is_the_one_that_none_replaced_whatever_the_clock_said() -> None:
    after_the_clock_was_set_back = history(code(timedelta(0)), code(10 * MINUTE, CALL, FAILED, replaced=False))

    assert after_the_clock_was_set_back.refusal(TELEGRAM, NOW) is None


def test_as_many_codes_are_read_as_the_policy_looks_at() -> None:
    def needed(count: int, pauses: int) -> int:
        limits = (Limit(count, timedelta(days=7)), Limit(1, timedelta(hours=1))) if count else ()
        return PhoneHistory.codes_needed(CodePolicy({}, 3, (MINUTE,) * pauses, limits))

    assert [needed(10, 3), needed(3, 5), needed(1, 1), needed(0, 1)] == [10, 5, 2, 2]
