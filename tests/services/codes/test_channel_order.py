"""The ways are offered by what works here: the best first, a failing one last, and where too little is known as configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.codes.channels import ChannelName
from medonline.services.codes.channel_order import ENOUGH, Standing, standing
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState
from tests.services.codes.past_codes import add_codes
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    SMS,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    current_of,
    opened,
)

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


async def fallen_back(portal: Portal, count: int, failing: ChannelName = CALL, **facts: object) -> None:
    """Patients to whom a way brought nothing, and who entered a code that came by another one."""
    await add_codes(portal, [False] * count, failing, **facts)
    await add_codes(portal, [True] * count, SMS)


async def test_codes_of_the_last_hour_decide_and_only_where_there_are_enough(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels=ALL) as portal:
        await fallen_back(portal, ENOUGH - 1)
        await portal.switches.order.measure()
        assert await portal.recovery.open_channels() == ALL
        await add_codes(portal, [False] * ENOUGH, CALL)
        await portal.switches.order.measure()
        assert await portal.recovery.open_channels() == (TELEGRAM, SMS, CALL)
        assert portal.switches.order.now.failing == {CALL}
        clock.move(hours=1, seconds=60)
        await portal.switches.order.measure()

        assert await portal.recovery.open_channels() == ALL


async def test_one_address_alone_moves_no_way(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await fallen_back(portal, 200, addresses=1)
        await portal.switches.order.measure()

        assert await portal.recovery.open_channels() == (CALL, TELEGRAM)


async def test_strangers_who_type_nothing_move_no_way(folder: Path, clock: MovableClock) -> None:
    """A botnet asks for calls to numbers of its choice, a thousand addresses strong; so it hides no honest codes either."""
    async with opened(folder, clock, code_channels=ALL) as portal:
        await fallen_back(portal, ENOUGH, TELEGRAM)
        for delivery in (DeliveryState.DELIVERED, DeliveryState.FAILED):
            await add_codes(portal, [False] * 400, CALL, delivery=delivery, problem="number_not_reachable", begin=1000)
            await add_codes(portal, [False] * 400, TELEGRAM, delivery=delivery, begin=2000)
        await portal.switches.order.measure()

        assert portal.switches.order.now == Standing((CALL, SMS, TELEGRAM), frozenset({TELEGRAM}))


async def test_a_vendor_in_trouble_of_its_own_moves_its_way(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels=ALL) as portal:
        facts = {"delivery": DeliveryState.FAILED, "problem": DeliveryProblem.CHANNEL_DOWN}
        await add_codes(portal, [False] * ENOUGH, CALL, **facts)
        await portal.switches.order.measure()

        assert portal.switches.order.now.failing == {CALL}


async def test_the_order_is_the_same_for_every_number(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels=ALL) as portal:
        await fallen_back(portal, ENOUGH)
        await portal.switches.order.measure()
        offered = []
        for visitor, phone in ((ANNA, KNOWN), (BORIS, UNKNOWN)):
            await portal.recovery.begin(visitor, phone, TELEGRAM)
            offered.append((await current_of(portal, visitor)).open_channels)

        assert offered == [(TELEGRAM, SMS, CALL)] * 2
