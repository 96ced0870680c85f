"""Walks of two browsers over two phones go as the model says, which assumes the settings of the demo."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.codes.channels import ChannelName
from tests.services.databases import Databases, databases
from tests.services.password_recovery.model import (
    CAP,
    LIFE,
    MONEY,
    PARTS,
    PAUSES,
    PER_PHONE,
    PRICE,
    PROOF_AGE,
    SEED,
    RecoveryWalk,
    steps_wanted,
    walk,
)
from tests.services.world import ANNA, KNOWN, config_in

__all__ = ["databases"]


@pytest.mark.parametrize("part", range(PARTS))
def test_any_walk_goes_as_the_model_says(databases: Databases, part: int, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walk(RecoveryWalk, databases, part)

    assert steps >= steps_wanted()
    with capsys.disabled():
        print(f"\n{steps} steps of recoveries, none against the model (MODEL_SEED={SEED}, part {part})")


def test_a_code_that_outlives_the_hour_of_its_step_is_not_begun_with_again(databases: Databases) -> None:
    """A walk of its own: at random it is rare."""

    class Walk(RecoveryWalk):
        steps = 0

    Walk.databases = databases
    walk = Walk()
    walk.open()
    walk.begin(ANNA, KNOWN, ChannelName.TELEGRAM)
    walk.time_passes(59 * 60, killed=False)
    walk.resend(ANNA, ChannelName.TELEGRAM)
    walk.time_passes(60, killed=True)
    walk.begin(ANNA, KNOWN, ChannelName.TELEGRAM)
    walk.each_browser_sees_what_the_model_says()
    walk.teardown()


def test_the_settings_are_what_the_model_assumes(portal: Portal) -> None:
    policy = portal.config.code_policy

    assert tuple(pause.total_seconds() for pause in policy.resend_pauses) == pytest.approx(PAUSES)
    assert {channel: policy.life[channel] / timedelta(minutes=1) for channel in LIFE} == LIFE
    assert policy.guesses == 3
    assert tuple((limit.count, limit.per / timedelta(hours=1)) for limit in policy.per_phone) == PER_PHONE
    assert portal.config.step_up_policy.proof_age == PROOF_AGE
    assert portal.config.new_password_window == timedelta(minutes=10)


def test_the_money_is_what_the_model_assumes(tmp_path: Path) -> None:
    budgets = config_in(tmp_path, **MONEY).budgets

    assert {channel: budgets[channel].price for channel in PRICE} == PRICE
    assert {channel: budgets[channel].cap for channel in CAP} == CAP
