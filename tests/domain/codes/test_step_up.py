"""When a call alone is not enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from medonline.domain.codes.channels import CALLED, ChannelName
from medonline.domain.codes.step_up import Signs, StepUpPolicy, StepUpWhen

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALM = Signs(ChannelName.FLASH_CALL, 0, None, breaker_open=False)


def needed(when: StepUpWhen, **signs: object) -> bool:
    policy = StepUpPolicy(when, timedelta(days=30), timedelta(days=90))
    facts = {"channel": CALM.channel, "misses": 0, "proved_at": None, "breaker_open": False} | signs
    return policy.is_needed(Signs(**facts), NOW)  # type: ignore[arg-type]


GUESSED_AT: list[dict[str, object]] = [
    {"breaker_open": True},
    {"suspicious_network": True},
    {"misses": 3},
    {"misses": 4},
]
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


@pytest.mark.parametrize("when", StepUpWhen)
@pytest.mark.parametrize("signs", [*NO_RISKS, *RISKS])
def test_a_call_of_the_patient_is_never_enough(signs: dict[str, object], when: StepUpWhen) -> None:
    assert all(needed(when, **signs, channel=channel) for channel in CALLED)


@pytest.mark.parametrize("channel", [channel for channel in ChannelName if channel not in CALLED])
@pytest.mark.parametrize("signs", [*NO_RISKS, *RISKS])
def test_always_and_never_hold_for_every_code(signs: dict[str, object], channel: ChannelName) -> None:
    assert needed(StepUpWhen.ALWAYS, **signs, channel=channel)
    assert not needed(StepUpWhen.NEVER, **signs, channel=channel)
