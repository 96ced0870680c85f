"""What a stranger inside the account linked goes with the dispute, the recovery and at the desk; what Gosuslugi vouches for stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from tests.services import strangers
from tests.services.outside import ScriptedIdentity, with_provider
from tests.services.world import MovableClock, opened


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


@pytest.mark.parametrize("scenario", strangers.TAKEN_OFF, ids=lambda one: one.__name__)
async def test_what_a_stranger_linked_is_taken_off(portal: Portal, scenario: strangers.Scenario) -> None:
    await scenario(portal)
    assert (await portal.journal_keeper.examine()).fault == ""
