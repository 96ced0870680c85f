"""What is forgotten, and not before its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.services.desk.retention import CODES_NEEDED_FOR
from tests.services.desk.registering import register
from tests.services.outside import OTHER_SNILS, VERA, ScriptedIdentity, arrive, dump, with_provider
from tests.services.world import ANNA, BORIS, MovableClock, opened, prove, sign_in


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def test_nothing_is_forgotten_before_its_time(portal: Portal, folder: Path, clock: MovableClock) -> None:
    await register(portal)
    await prove(portal, BORIS)
    await sign_in(portal, BORIS)
    before = dump(folder)
    clock.move(hours=20)

    assert await portal.retention.forget() == {}
    assert dump(folder) == before


async def test_what_waits_for_minutes_is_gone_after_a_day_and_codes_after_a_month(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await register(portal)
    await arrive(portal, BORIS, person=replace(VERA, subject="1", snils=OTHER_SNILS, phone=""))
    await prove(portal, BORIS)
    clock.move(days=1, minutes=30)
    assert set(await portal.retention.forget()) == {"identity_journey", "pending_identity"}
    clock.move(seconds=CODES_NEEDED_FOR.total_seconds())
    assert set(await portal.retention.forget()) == {"one_time_code", "password_recovery"}
    clock.move(days=90)

    assert set(await portal.retention.forget()) == {"account_session"}
    kept = dump(folder)
    assert kept["patient"]
    assert kept["personal_data_consent"]
    assert kept["linked_identity"]


async def test_codes_that_limits_look_back_at_are_kept_whatever_the_setting_says(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, retention_codes="1 s") as portal:
        await prove(portal, ANNA)
        clock.move(days=30)
        await portal.retention.forget()

        assert dump(folder)["one_time_code"]
