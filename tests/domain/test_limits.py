"""Moving windows, and when a call alone is not enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.codes.one_time_code import ChannelName
from medonline.domain.codes.step_up import Signs, StepUpPolicy, StepUpWhen
from medonline.domain.limits import Limit, open_from

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CALM = Signs(ChannelName.FLASH_CALL, 0, None, breaker_open=False)


def test_a_window_that_is_not_full_is_open() -> None:
    assert open_from([NOW, NOW], [Limit(3, HOUR)]) is None


def test_a_full_window_opens_when_the_oldest_that_fills_it_is_over() -> None:
    times = [NOW - timedelta(minutes=minutes) for minutes in (5, 20, 50, 200)]

    assert open_from(times, [Limit(3, HOUR)]) == NOW + timedelta(minutes=10)


def test_of_several_full_windows_the_last_to_open_decides() -> None:
    assert open_from([NOW] * 3, [Limit(3, HOUR), Limit(2, DAY)]) == NOW + DAY


@given(
    st.lists(st.integers(min_value=0, max_value=600), max_size=40),
    st.integers(min_value=1, max_value=5),
    st.integers(min_value=1, max_value=60),
)
def test_whoever_keeps_to_it_never_has_more_than_the_count_in_any_window(
    waits: list[int], count: int, minutes: int
) -> None:
    limit, now, taken = Limit(count, timedelta(minutes=minutes)), NOW, []
    for wait in waits:
        now += timedelta(seconds=wait)
        until = open_from(taken, [limit])
        if until is None or now >= until:
            taken.insert(0, now)

    for end in taken:
        assert sum(end - limit.per < time <= end for time in taken) <= count


def needed(when: StepUpWhen, **signs: object) -> bool:
    policy = StepUpPolicy(when, timedelta(days=30), timedelta(days=90))
    facts = {"channel": CALM.channel, "misses": 0, "proved_at": None, "breaker_open": False} | signs
    return policy.is_needed(Signs(**facts), NOW)  # type: ignore[arg-type]


GUESSED_AT: list[dict[str, object]] = [{"breaker_open": True}, {"misses": 3}, {"misses": 4}]
OLD: list[dict[str, object]] = [{"proved_at": NOW - timedelta(days=90, seconds=1)}]
RISKS = [*GUESSED_AT, *OLD]
NO_RISKS: list[dict[str, object]] = [
    {},
    {"misses": 2},
    {"proved_at": NOW - timedelta(days=90)},
    {"proved_at": NOW - timedelta(days=1)},
]


@pytest.mark.parametrize("signs", RISKS)
def test_each_sign_of_risk_is_enough(signs: dict[str, object]) -> None:
    assert needed(StepUpWhen.RISK, **signs)
    assert needed(StepUpWhen.ALWAYS, **signs)
    assert not needed(StepUpWhen.NEVER, **signs)


@pytest.mark.parametrize("signs", NO_RISKS)
def test_without_a_sign_a_call_is_enough_unless_it_never_is(signs: dict[str, object]) -> None:
    assert not needed(StepUpWhen.RISK, **signs)
    assert needed(StepUpWhen.ALWAYS, **signs)


@pytest.mark.parametrize("signs", [{}, *GUESSED_AT])
def test_against_guessing_six_digits_are_enough(signs: dict[str, object]) -> None:
    assert not needed(StepUpWhen.RISK, **signs, channel=ChannelName.TELEGRAM)


@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize("signs", OLD)
def test_no_code_alone_is_enough_for_a_number_that_was_not_proved_for_long(
    signs: dict[str, object], channel: ChannelName
) -> None:
    assert needed(StepUpWhen.RISK, **signs, channel=channel)


@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize("signs", [*NO_RISKS, *RISKS])
def test_always_and_never_hold_for_every_channel(signs: dict[str, object], channel: ChannelName) -> None:
    assert needed(StepUpWhen.ALWAYS, **signs, channel=channel)
    assert not needed(StepUpWhen.NEVER, **signs, channel=channel)
