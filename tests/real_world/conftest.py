"""Gateways that a test scripts, each on a socket of its own, and the portal over a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.providers.gosuslugi.esia_script import EsiaScript
from tests.providers.gosuslugi.oidc_script import OidcScript
from tests.providers.gosuslugi.world import scripted
from tests.services.conftest import clock, folder, portal, template

__all__ = ["clock", "folder", "portal", "template"]


@pytest.fixture
async def gateway() -> AsyncIterator[OidcScript]:
    async with scripted() as server, scripted() as elsewhere:
        yield OidcScript(server, elsewhere)


@pytest.fixture
async def esia() -> AsyncIterator[EsiaScript]:
    async with scripted() as server, scripted() as elsewhere:
        yield EsiaScript(server, elsewhere)
