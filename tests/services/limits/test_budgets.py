"""The daily money of each way of getting a code: exact under parallel begins, alarms on the way, off until midnight in Moscow."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from medonline.bootstrap import Portal
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import ChannelOverBudget, NumberNotReachable, ProviderDown
from medonline.storage.queries import limits
from tests.services.limits.asking import ask, phone
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    browser,
    dispatch,
    dispatcher_of,
    opened,
    rows_of,
)

MONEY: dict[str, Any] = {
    "price_flash_call": "0.90",
    "daily_cap_flash_call": "9.00",
    "codes_per_block": "1000 per h",
    "unconfirmed_codes_per_block": "1000 per h",
}
MOSCOW_DAY = date(2026, 3, 2)


async def spent(portal: Portal, channel: ChannelName = CALL, days: int = 0) -> int:
    with portal.database.reading() as session:
        return limits.spent(session, MOSCOW_DAY + timedelta(days=days)).get(channel, 0)


async def test_the_cap_is_reached_exactly_and_the_way_is_off_until_midnight_in_moscow(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, **MONEY) as portal:
        assert {await ask(portal, phone(number)) for number in range(10)} == {"sent"}
        with pytest.raises(ChannelOverBudget) as refusal:
            await portal.recovery.begin(ANNA, KNOWN, CALL)

        assert refusal.value.until == datetime(2026, 3, 2, 21, tzinfo=UTC)
        assert await spent(portal) == 900
        assert await portal.recovery.open_channels() == (TELEGRAM,)
        assert await ask(portal, KNOWN, way=TELEGRAM) == "sent"
    clock.now = refusal.value.until - timedelta(seconds=1)
    async with opened(folder, clock, **MONEY) as portal:  # a restart forgets nothing
        assert await ask(portal, phone(20)) == "ChannelOverBudget"
        clock.now = refusal.value.until
        assert await ask(portal, phone(20)) == "sent"
        assert (await spent(portal), await spent(portal, days=1)) == (900, 90)


async def test_a_code_that_would_go_over_the_cap_is_refused(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **MONEY | {"daily_cap_flash_call": "2.00"}) as portal:
        assert [await ask(portal, phone(number)) for number in range(3)] == ["sent", "sent", "ChannelOverBudget"]
        assert await spent(portal) == 180


async def test_fifty_begins_at_once_spend_the_cap_and_no_kopeck_more(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **MONEY) as portal:
        outcomes = Counter(await asyncio.gather(*(ask(portal, phone(number)) for number in range(50))))

        assert outcomes == {"sent": 10, "ChannelOverBudget": 40}
        assert len(await rows_of(portal)) == 10
        assert await spent(portal) == 900


async def test_alarms_sound_at_half_at_four_fifths_and_at_the_end(
    folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(folder, clock, **MONEY) as portal:
        heard = []
        for number in range(12):
            caplog.clear()
            await ask(portal, phone(number))
            heard.append([record.getMessage() for record in caplog.records if "ALARM" in record.getMessage()])

    assert [(number, lines) for number, lines in enumerate(heard, 1) if lines] == [
        (5, ["ALARM money-runs-out: flash_call has spent 50 % of the day's money"]),
        (8, ["ALARM money-runs-out: flash_call has spent 80 % of the day's money"]),
        (10, ["ALARM money-runs-out: flash_call has spent 100 % of the day's money"]),
        (11, ["ALARM channel-money-spent: flash_call is off until midnight in Moscow: the day's money is spent"]),
    ]


async def test_without_a_price_nothing_is_counted_and_without_a_cap_nothing_is_refused(
    folder: Path, clock: MovableClock
) -> None:
    free = {"price_telegram": "1.20", "codes_per_block": "1000 per h", "unconfirmed_codes_per_block": "1000 per h"}
    async with opened(folder, clock, **free) as portal:
        assert {await ask(portal, phone(n), way=way) for n, way in enumerate([CALL, TELEGRAM] * 10)} == {"sent"}
        assert (await spent(portal), await spent(portal, TELEGRAM)) == (0, 1200)


async def test_what_certainly_cost_nothing_is_given_back_once(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **MONEY) as portal:
        channel = ScriptedChannel()
        channel.answers.extend((NumberNotReachable("no"), ProviderDown("hung")))
        dispatcher = dispatcher_of(portal, flash_call=channel)
        await ask(portal, phone(1))
        await dispatch(dispatcher)
        assert await spent(portal) == 0
        await dispatch(dispatcher)
        assert await spent(portal) == 0
        await ask(portal, phone(2))
        await dispatch(dispatcher)
        assert await spent(portal) == 90  # it may have called all the same


async def test_a_code_replaced_before_it_was_sent_costs_nothing(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **MONEY) as portal:
        channel = ScriptedChannel()
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        clock.move(seconds=60)
        await portal.recovery.resend(ANNA, CALL)
        assert await spent(portal) == 180
        await dispatch(dispatcher_of(portal, flash_call=channel))

        assert len(channel.asked) == 1
        assert await spent(portal) == 90


async def test_the_screen_offers_the_other_way_only_while_it_has_money(folder: Path, clock: MovableClock) -> None:
    money = {"price_telegram": "1.00", "daily_cap_telegram": "1.00"}
    async with opened(folder, clock, **money) as portal:
        view = await portal.recovery.begin(ANNA, KNOWN, CALL)
        assert view.open_channels == (CALL, TELEGRAM)
        await portal.recovery.begin(browser(5), phone(5), TELEGRAM)
        current = await portal.recovery.current(ANNA)
        assert current is not None
        assert current.open_channels == (CALL,)
        clock.move(minutes=2)
        current = await portal.recovery.current(ANNA)
        assert current is not None
        assert not current.fallback_now
        with pytest.raises(ChannelOverBudget):
            await portal.recovery.resend(ANNA, TELEGRAM)
        assert (await portal.recovery.resend(ANNA, CALL)).issued_at == clock.now
