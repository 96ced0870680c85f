"""The ways are offered by what works here: the best first, a failing one last, and where too little is known as configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.domain.codes.channels import ChannelName
from medonline.services.codes.channel_order import ENOUGH, Standing, standing
from tests.services.codes.past_codes import add_codes
from tests.services.world import CALL, SMS, TELEGRAM, MovableClock, opened

ALL = (CALL, TELEGRAM, SMS)


@pytest.mark.parametrize(
    ("percents", "order", "failing"),
    [
        ({}, (CALL, TELEGRAM, SMS), set()),
        ({CALL: 60, TELEGRAM: 90}, (TELEGRAM, CALL, SMS), set()),
        ({CALL: 60, SMS: 90}, (SMS, TELEGRAM, CALL), set()),
        ({CALL: 81, TELEGRAM: 89}, (CALL, TELEGRAM, SMS), set()),  # as good as each other
        ({CALL: 39}, (TELEGRAM, SMS, CALL), {CALL}),
        ({CALL: 10, TELEGRAM: 30}, (SMS, TELEGRAM, CALL), {CALL, TELEGRAM}),
        ({CALL: 0, TELEGRAM: 0, SMS: 0}, (CALL, TELEGRAM, SMS), {CALL, TELEGRAM, SMS}),
    ],
)
def test_the_order_follows_what_was_entered(
    percents: dict[ChannelName, int], order: tuple[ChannelName, ...], failing: set[ChannelName]
) -> None:
    assert standing(ALL, percents, 40) == Standing(order, frozenset(failing))


def test_where_the_rule_is_off_no_way_is_called_failing() -> None:
    assert standing(ALL, {CALL: 0, TELEGRAM: 50}, 0) == Standing((TELEGRAM, CALL, SMS))


async def test_codes_of_the_last_hour_decide_and_only_where_there_are_enough(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels=ALL) as portal:
        await add_codes(portal, [False] * (ENOUGH - 1), CALL)
        await portal.switches.order.measure()
        assert await portal.recovery.open_channels() == ALL
        await add_codes(portal, [False], CALL)
        await portal.switches.order.measure()
        assert await portal.recovery.open_channels() == (TELEGRAM, SMS, CALL)
        assert portal.switches.order.now.failing == {CALL}
        clock.move(hours=1, seconds=30)
        await portal.switches.order.measure()

        assert await portal.recovery.open_channels() == ALL


async def test_one_address_alone_moves_no_way(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await add_codes(portal, [False] * 200, CALL, addresses=1)
        await portal.switches.order.measure()

        assert await portal.recovery.open_channels() == (CALL, TELEGRAM)
