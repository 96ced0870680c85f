"""What vendors tell of calls: signed reports hasten the question, unsigned ones must fit one wait in everything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.domain.codes.patient_call import call_token
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.delivery import DeliveryState
from medonline.services.ports import ForgedReport
from tests.services.patient_calls import (
    ME,
    OTHER,
    UnaskedNumber,
    World,
    world_in,
)
from tests.services.world import (
    KNOWN,
    UNKNOWN,
    MovableClock,
    dispatch,
    last_row,
    opened,
    rows_of,
)


@pytest.fixture
async def world(folder: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with world_in(folder, clock) as made:
        yield made


class TestSignedReports:
    async def test_a_report_hastens_the_question_and_is_not_believed_itself(self, world: World) -> None:
        await world.begin()
        row = await last_row(world.portal)
        await world.calls.take_signed(f"signed {row.provider_ref}".encode())
        await dispatch(world.dispatcher)
        assert world.vendor.report_asked == 1
        assert (await last_row(world.portal)).delivery == DeliveryState.SENT  # the vendor says 400

        await world.call()
        await world.calls.take_signed(f"signed {row.provider_ref}".encode())
        await dispatch(world.dispatcher)
        view = await world.portal.recovery.follow(ME)
        assert view is not None
        assert view.step is RecoveryStep.BIRTH_DATE

    @pytest.mark.parametrize(("back_after", "step"), [(2, RecoveryStep.BIRTH_DATE), (4, RecoveryStep.CODE)])
    async def test_a_call_in_the_last_minute_waits_for_a_browser_that_slept(
        self, world: World, back_after: int, step: RecoveryStep
    ) -> None:
        await world.begin()
        row = await last_row(world.portal)
        world.clock.move(minutes=4, seconds=50)
        await world.call()
        await world.calls.take_signed(f"signed {row.provider_ref}".encode())
        await dispatch(world.dispatcher)
        world.clock.move(minutes=back_after)
        view = await world.portal.recovery.follow(ME)

        assert view is not None
        assert view.step is step

    async def test_a_forged_one_changes_nothing(self, world: World) -> None:
        await world.begin()
        row = await last_row(world.portal)
        with pytest.raises(ForgedReport):
            await world.calls.take_signed(row.provider_ref.encode())
        await dispatch(world.dispatcher)
        assert world.vendor.report_asked == 0

    async def test_one_of_something_unknown_is_taken_and_changes_nothing(self, world: World) -> None:
        await world.calls.take_signed(b"signed callcheck-1")

    async def test_without_the_way_none_is_taken(self, folder: Path, clock: MovableClock) -> None:
        async with opened(folder, clock) as portal:
            with pytest.raises(ForgedReport):
                await portal.calls.take_signed(b"signed callcheck-1")


class TestUnsignedReports:
    @pytest.fixture
    async def world(self, folder: Path, clock: MovableClock) -> AsyncIterator[World]:
        async with world_in(folder, clock, UnaskedNumber()) as made:
            yield made

    @staticmethod
    async def report(world: World, *, token: str = "", ref: str = "", caller: str = KNOWN) -> None:
        row = await last_row(world.portal)
        body = {"ref": ref or row.provider_ref, "from": caller}
        token = token or call_token(world.portal.config.key, row.id)
        await world.calls.take_unsigned(token, json.dumps(body).encode())

    async def test_the_right_one_is_believed(self, world: World) -> None:
        await world.begin()
        await self.report(world)
        view = await world.portal.recovery.follow(ME)
        assert view is not None
        assert view.step is RecoveryStep.BIRTH_DATE
        await self.report(world)  # twice

    async def test_one_of_another_caller_or_of_another_call_changes_nothing(self, world: World) -> None:
        await world.begin()
        await self.report(world, caller=UNKNOWN)
        await self.report(world, ref="waiting-1")
        assert (await last_row(world.portal)).delivery == DeliveryState.SENT

    async def test_one_at_an_address_that_nobody_was_told_is_forged(self, world: World) -> None:
        await world.begin()
        row = await last_row(world.portal)
        for token in ("secret", f"{row.id}-{'0' * 64}", call_token(b"another key", row.id)):
            with pytest.raises(ForgedReport):
                await self.report(world, token=token)
        assert (await last_row(world.portal)).delivery == DeliveryState.SENT

    async def test_the_address_of_one_wait_is_of_no_use_for_another(self, world: World) -> None:
        await world.begin(OTHER, UNKNOWN)
        strangers = call_token(world.portal.config.key, (await last_row(world.portal)).id)
        await world.begin(ME)
        await self.report(world, token=strangers)
        assert {row.delivery for row in await rows_of(world.portal)} == {DeliveryState.SENT}

    async def test_one_that_comes_late_changes_nothing(self, world: World) -> None:
        await world.begin()
        world.clock.move(minutes=5)
        await self.report(world)
        assert (await last_row(world.portal)).delivery == DeliveryState.SENT
