"""A provider that fails: which alarm, after how many failures, and how often."""

from __future__ import annotations

import pytest

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.metrics.families import exposition
from medonline.services.limits.alarms import QUIET, Alarms
from medonline.services.limits.provider_alarms import DOWN_IN_A_ROW, ProviderAlarms
from tests.metrics.reading import number
from tests.services.world import MovableClock

DOWN = ProviderDown("no answer", code="timeout")


@pytest.fixture
def alarms(clock: MovableClock) -> ProviderAlarms:
    return ProviderAlarms(Alarms(clock))


def troubles(provider: str, trouble: str) -> float:
    return number(exposition({}), "medonline_provider_troubles_total", provider=provider, trouble=trouble)


@pytest.mark.parametrize(
    ("error", "trouble", "line"),
    [
        (OutOfMoney(code="1002"), "money", "ALARM provider-without-money: bell has no money (1002)"),
        (
            ProviderRefused(code="401", of_key=True),
            "refused",
            "ALARM provider-refuses: bell refuses us: the key, or an answer that cannot be read (401)",
        ),
        (DeliveryFailed(), "refused", "ALARM provider-refuses: bell refuses us"),
    ],
)
def test_what_an_operator_must_mend_is_told_at_once_and_damped(
    alarms: ProviderAlarms,
    clock: MovableClock,
    caplog: pytest.LogCaptureFixture,
    error: DeliveryFailed,
    trouble: str,
    line: str,
) -> None:
    before = troubles("bell", trouble)
    for _ in range(5):
        alarms.failed("bell", error)
    assert caplog.text.count(line) == 1
    assert troubles("bell", trouble) == before + 5
    alarms.failed("other", error)
    assert caplog.text.count("ALARM") == 2
    clock.move(seconds=QUIET.total_seconds())
    alarms.failed("bell", error)
    assert f"{line}" in caplog.text
    assert "(4 more since the last line)" in caplog.text


def test_a_provider_is_down_after_several_failures_in_a_row(
    alarms: ProviderAlarms, caplog: pytest.LogCaptureFixture
) -> None:
    for answer in (None, NumberRefused(), OutOfMoney()):
        for _ in range(DOWN_IN_A_ROW - 1):
            alarms.failed("bell", DOWN)
        alarms.failed("bell", answer) if answer is not None else alarms.well("bell")
    assert "provider-down" not in caplog.text
    for _ in range(DOWN_IN_A_ROW):
        alarms.failed("bell", DOWN)

    assert "ALARM provider-down: bell did not answer 3 times in a row (timeout)" in caplog.text


@pytest.mark.parametrize("error", [NumberRefused(), NumberNotReachable()])
def test_what_is_about_a_number_is_no_alarm(
    alarms: ProviderAlarms, caplog: pytest.LogCaptureFixture, error: DeliveryFailed
) -> None:
    for _ in range(5):
        alarms.failed("bell", error)

    assert "ALARM" not in caplog.text
