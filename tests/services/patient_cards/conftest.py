"""A portal before a registry that answers as told, and two signed-in patients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import token_hash
from tests.services.outside import SNILS, ScriptedRegistry, with_registry
from tests.services.patient_cards.family import FRIEND, OWN, SON, know
from tests.services.world import ANNA, BORIS, OTHER_KNOWN, MovableClock, opened, sign_in


@pytest.fixture
def registry() -> ScriptedRegistry:
    return ScriptedRegistry([OWN, SON, FRIEND])


@pytest.fixture
async def portal(folder: Path, clock: MovableClock, registry: ScriptedRegistry) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_registry(portal, registry)


@pytest.fixture
async def key(portal: Portal) -> str:
    """Мария, whose СНИЛС the portal knows."""
    await know(portal, snils=SNILS)
    return token_hash(await sign_in(portal, ANNA))


@pytest.fixture
async def strangers_key(portal: Portal, key: str) -> str:
    return token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
