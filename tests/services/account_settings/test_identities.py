"""Accounts at Gosuslugi in the settings: listed, and taken off by a fresh proof, but never the last way in."""

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


@pytest.mark.parametrize("scenario", strangers.IN_THE_SETTINGS, ids=lambda one: one.__name__)
async def test_an_identity_is_taken_off_by_its_owner_alone(portal: Portal, scenario: strangers.Scenario) -> None:
    await scenario(portal)
    assert (await portal.journal_keeper.examine()).fault == ""
