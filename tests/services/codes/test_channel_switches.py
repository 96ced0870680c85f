"""Ways that are switched off: by an operator at once, by the rule when codes are not entered, and back again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal, running
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import CallsAloneLeft, ChannelUnavailable, LastChannel
from medonline.domain.security_journal import JournalEvent
from medonline.services.codes import channel_switches
from medonline.services.codes.channel_switches import TRIAL_EVERY, TRIALS
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.outcomes import OF_ONE_ADDRESS, SAMPLE
from medonline.services.crypto.tokens import token_hash
from tests.patience import PATIENCE
from tests.services.account_settings.saving import FORM
from tests.services.codes.past_codes import add_codes
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    opened,
    sign_in,
)

ALONE = {"identity_provider": "none", "operator_name": ""}
CALLS = ChannelName.INBOUND_CALL
WORKS = "Звонки оператора не доходят"


async def is_off(portal: Portal, channel: ChannelName = CALL) -> bool:
    await portal.switches.load()
    return channel in portal.switches.off


async def journal_of_switches(portal: Portal) -> list[dict[str, str | int]]:
    return [
        row["details"]
        async for row in portal.journal_keeper.everything()
        if row["event"] == JournalEvent.CHANNEL_SWITCHED
    ]


async def test_what_an_operator_switches_off_is_refused_with_the_reason_and_the_other_way_goes_on(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock) as portal:
        await portal.switches.switch_off(CALL, WORKS)
        await portal.switches.load()
        offered = await portal.recovery.open_channels()
        with pytest.raises(ChannelUnavailable) as refused:
            await portal.recovery.begin(ANNA, KNOWN, CALL)
        view = await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)

        assert (refused.value.channel, refused.value.reason, refused.value.another) == (CALL, WORKS, True)
        assert (offered, view.channel) == ((TELEGRAM,), TELEGRAM)
        await portal.switches.switch_on(CALL)
        assert not await is_off(portal)
        assert set(await portal.recovery.open_channels()) == {CALL, TELEGRAM}
        assert await journal_of_switches(portal) == [
            {"channel": CALL, "switched": "off"},
            {"channel": CALL, "switched": "on"},
        ]


async def test_a_refused_way_costs_no_code_and_no_pause(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await portal.switches.switch_off(CALL, WORKS)
        await portal.switches.load()
        for _ in range(10):
            with pytest.raises(ChannelUnavailable):
                await portal.recovery.begin(ANNA, KNOWN, CALL)
        await portal.switches.switch_on(CALL)
        await portal.switches.load()

        assert (await portal.recovery.begin(ANNA, KNOWN, CALL)).channel == CALL


async def test_the_last_way_cannot_be_switched_off_where_there_is_no_gosuslugi(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, **ALONE) as portal:
        await portal.switches.switch_off(CALL, WORKS)
        with pytest.raises(LastChannel):
            await portal.switches.switch_off(TELEGRAM, WORKS)
        assert not await is_off(portal, TELEGRAM)
    async with opened(folder, clock) as portal:
        await portal.switches.switch_off(TELEGRAM, WORKS)
        assert await is_off(portal, TELEGRAM)
        with pytest.raises(ChannelUnavailable) as refused:
            await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
        assert not refused.value.another


@pytest.mark.parametrize("gosuslugi", [True, False])
async def test_calls_of_patients_are_no_way_that_may_be_left_alone(
    folder: Path, clock: MovableClock, gosuslugi: bool
) -> None:
    ways = {"code_channels": (CALL, TELEGRAM, CALLS)} | ({} if gosuslugi else ALONE)
    async with opened(folder, clock, **ways) as portal:
        await portal.switches.switch_off(CALLS, WORKS)  # not the call itself: without it nobody loses a proof
        await portal.switches.switch_on(CALLS)
        await portal.switches.switch_off(CALL, WORKS)
        with pytest.raises(CallsAloneLeft) as refused:
            await portal.switches.switch_off(TELEGRAM, WORKS)
        assert (refused.value.channel, refused.value.another_road) == (TELEGRAM, gosuslugi)
        assert not await is_off(portal, TELEGRAM)
        assert len(await journal_of_switches(portal)) == 3

        await portal.switches.switch_off(TELEGRAM, WORKS, calls_alone=True)
        await portal.switches.switch_off(TELEGRAM, "Идут работы")  # another reason: it is off already
        assert await is_off(portal, TELEGRAM)
        assert await portal.recovery.open_channels() == (CALLS,)
        if not gosuslugi:
            with pytest.raises(LastChannel):
                await portal.switches.switch_off(CALLS, WORKS, calls_alone=True)


async def test_where_only_calls_are_left_no_other_way_is_advised_to_whom_they_prove_nothing(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, code_channels=(CALL, TELEGRAM, CALLS)) as portal:
        key = token_hash(await sign_in(portal, ANNA))
        form = replace(FORM, phone=UNKNOWN)
        for channel, others in ((CALL, (True, True)), (TELEGRAM, (False, True))):
            await portal.switches.switch_off(channel, WORKS, calls_alone=True)
            await portal.switches.load()
            with pytest.raises(ChannelUnavailable) as new_phone:
                await portal.settings.save(replace(ANNA, session_key=key), form, channel)
            with pytest.raises(ChannelUnavailable) as recovery:
                await portal.recovery.begin(ANNA, KNOWN, channel)
            assert (new_phone.value.another, recovery.value.another) == others
            assert new_phone.value.reason == WORKS


@pytest.mark.parametrize("gosuslugi", [True, False])
async def test_the_rule_leaves_calls_of_patients_alone_only_beside_gosuslugi(
    folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture, gosuslugi: bool
) -> None:
    ways = {"code_channels": (TELEGRAM, CALLS)} | ({} if gosuslugi else ALONE)
    async with opened(folder, clock, **ways) as portal:
        await add_codes(portal, [False] * SAMPLE, TELEGRAM)
        with caplog.at_level(logging.ERROR):
            await portal.switches.judge()

        assert await is_off(portal, TELEGRAM) is gosuslugi
        assert ("it is the last way that is enough by itself: it stays on" in caplog.text) is not gosuslugi
        if gosuslugi:  # on trial it is offered still; an operator who ends that leaves the calls alone
            with pytest.raises(CallsAloneLeft):
                await portal.switches.switch_off(TELEGRAM, WORKS)


async def test_the_rule_switches_off_below_two_fifths_and_sounds_an_alarm(
    folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(folder, clock) as portal:
        await add_codes(portal, [True] * 20 + [False] * 30)
        await portal.switches.judge()
        assert not await is_off(portal)
        await add_codes(portal, [False])
        with caplog.at_level(logging.ERROR):
            await portal.switches.judge()
            await portal.switches.judge()

        assert await is_off(portal)
        assert caplog.text.count("ALARM channel-off: flash_call is switched off") == 1
        assert await journal_of_switches(portal) == [{"channel": CALL, "switched": "off", "by": "rule"}]


async def test_codes_that_did_not_go_out_and_those_that_wait_are_told_apart(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await add_codes(portal, [False] * SAMPLE, replaced_at=None)  # they may be entered yet
        await portal.switches.judge()
        assert not await is_off(portal)
        await add_codes(portal, [False] * SAMPLE, replaced_at=None, delivery=DeliveryState.FAILED)
        await portal.switches.judge()
        assert await is_off(portal)


async def test_one_address_that_types_nothing_switches_nothing_off(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await add_codes(portal, [True] * 30)
        await add_codes(portal, [False] * 200, addresses=2)
        await portal.switches.judge()
        assert not await is_off(portal)
        await add_codes(portal, [False] * (5 * OF_ONE_ADDRESS), addresses=5)
        await portal.switches.judge()
        assert await is_off(portal)


@pytest.mark.parametrize("percent", [0, 40])
async def test_the_setting_decides(folder: Path, clock: MovableClock, percent: int) -> None:
    async with opened(folder, clock, channel_off_below_percent=percent) as portal:
        await add_codes(portal, [False] * SAMPLE)
        await portal.switches.judge()

        assert await is_off(portal) is (percent > 0)


async def test_the_rule_leaves_the_last_way_on_without_gosuslugi_and_says_so(
    folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(folder, clock, **ALONE) as portal:
        await add_codes(portal, [False] * SAMPLE)
        await portal.switches.judge()
        await add_codes(portal, [False] * SAMPLE, TELEGRAM)
        with caplog.at_level(logging.ERROR):
            await portal.switches.judge()

        assert (await is_off(portal), await is_off(portal, TELEGRAM)) == (True, False)
        assert "it is the last way: it stays on" in caplog.text


async def test_one_code_a_minute_goes_out_on_trial_and_enough_entered_ones_bring_the_way_back(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock) as portal:
        await add_codes(portal, [False] * SAMPLE)
        await portal.switches.judge()
        assert await is_off(portal)
        with pytest.raises(ChannelUnavailable):
            await portal.recovery.begin(ANNA, KNOWN, CALL)
        clock.now += TRIAL_EVERY
        assert CALL in portal.switches.open_now()
        assert (await portal.recovery.begin(ANNA, KNOWN, CALL)).channel == CALL
        with pytest.raises(ChannelUnavailable):  # the trial is taken, whatever the copy of this process says
            await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)
        await portal.switches.load()
        assert CALL not in portal.switches.open_now()
        await add_codes(portal, [True] * (TRIALS - 1))
        await portal.switches.judge()
        assert await is_off(portal)
        await add_codes(portal, [True], begin=TRIALS)
        await portal.switches.judge()

        assert not await is_off(portal)


async def test_what_an_operator_switched_off_no_rule_switches_on(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await portal.switches.switch_off(CALL, WORKS)
        clock.now += TRIAL_EVERY
        await add_codes(portal, [True] * SAMPLE)
        await portal.switches.judge()
        await portal.switches.load()

        assert portal.switches.off[CALL].reason == WORKS
        assert CALL not in portal.switches.open_now()


async def test_after_an_operator_switched_on_older_codes_do_not_count(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await add_codes(portal, [False] * SAMPLE)
        await portal.switches.judge()
        clock.move(seconds=1)
        await portal.switches.switch_on(CALL)
        await portal.switches.judge()

        assert not await is_off(portal)


async def test_another_process_hears_of_a_switch(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hears of it: it does not look again in time by itself."""
    monkeypatch.setattr(channel_switches, "LOST_AFTER", timedelta(hours=1))
    async with opened(folder, clock) as here, opened(folder, clock) as there, running(there):
        for switch, expected in ((here.switches.switch_off(CALL, WORKS), True), (here.switches.switch_on(CALL), False)):
            await switch
            async with asyncio.timeout(PATIENCE):
                while (CALL in there.switches.off) is not expected:
                    await asyncio.sleep(0.01)
