"""Codes by SMS: what they open elsewhere, how often they are guessed at, and what many of them cost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import CodeMismatch, CodeUsedUp, NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryStep
from medonline.storage.queries import limits
from tests.services.limits.asking import ask, phone
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    SMS,
    TELEGRAM,
    MovableClock,
    current_of,
    last_code,
    opened,
    patient_with,
    wrong,
)

ALL = tuple(ChannelName)
DAY = date(2026, 3, 2)  # of the clock


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    """One that has every way."""
    async with opened(folder, clock, code_channels=ALL) as opening:
        yield opening


async def test_a_code_by_sms_opens_no_other_recovery(portal: Portal, clock: MovableClock) -> None:
    """Not another browser's, not another number's, and not its own after a newer one to the same phone."""
    await portal.recovery.begin(ANNA, KNOWN, SMS)
    annas = await last_code(portal, KNOWN)
    await portal.recovery.begin(BORIS, OTHER_KNOWN, SMS)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(BORIS, annas)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.confirm_code(Client(visitor_key="c" * 64), annas)

    clock.move(minutes=2)
    third = Client(visitor_key="d" * 64)
    await portal.recovery.begin(third, KNOWN, SMS)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(third, annas)
    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, annas)
    assert (await current_of(portal, third)).step is RecoveryStep.CODE


async def test_three_guesses_at_a_code_by_sms_are_all(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, SMS)
    code = await last_code(portal, KNOWN)
    assert len(code) == 6
    for by in (1, 2, 3):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(ANNA, wrong(code, by))
    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, code)


async def test_a_sim_of_somebody_else_gets_the_code_and_is_asked_for_the_birth_date(
    portal: Portal, clock: MovableClock
) -> None:
    """A reissued number, or another SIM for it: an SMS goes to whoever has the number now."""
    assert (await patient_with(portal)).phone_proved_at is None
    clock.now = (await patient_with(portal)).created_at + timedelta(days=91)
    await portal.recovery.begin(ANNA, KNOWN, SMS)
    view = await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))

    assert view.step is RecoveryStep.BIRTH_DATE
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, "KorablLipa47")


async def test_strangers_who_pump_messages_spend_the_cap_and_no_kopeck_more(folder: Path, clock: MovableClock) -> None:
    """Each from a network of its own, to numbers of many blocks: what operators pay a share of to who has them sent."""
    async with opened(folder, clock, code_channels=ALL, price_sms="4.10", daily_cap_sms="20.50") as portal:
        asked = (ask(portal, phone(1, block), f"10.0.{block - 500}.1", SMS) for block in range(500, 530))
        outcomes = Counter(await asyncio.gather(*asked))

        assert outcomes == {"sent": 5, "ChannelOverBudget": 25}
        with portal.database.reading() as session:
            assert limits.spent(session, DAY)[SMS] == 2050
        assert {*await portal.recovery.open_channels()} == {*ALL} - {SMS}


@pytest.mark.parametrize("way", [CALL, SMS])
async def test_messages_to_numbers_one_after_another_end_with_their_block(
    folder: Path, clock: MovableClock, way: ChannelName
) -> None:
    """Calls and messages to a block count together: another way is no other purse."""
    async with opened(folder, clock, code_channels=ALL, unconfirmed_codes_per_block="20 per 1 h") as portal:
        sent = [await ask(portal, phone(number), f"10.0.{number}.1", SMS) for number in range(20)]

        assert {*sent} == {"sent"}
        assert await ask(portal, phone(20), "10.0.99.1", way) == "NumberBlockBusy"


async def test_a_phone_gets_no_more_codes_for_there_being_more_ways(portal: Portal, clock: MovableClock) -> None:
    for way in (CALL, TELEGRAM, SMS):
        assert await ask(portal, KNOWN, way=way) == "sent"
        clock.move(minutes=6)

    codes = [way for way in ChannelName if not way.facts.patient_calls]  # asking for a call brings the phone nothing
    assert {await ask(portal, KNOWN, way=way) for way in codes} == {"TooManyCodes"}
