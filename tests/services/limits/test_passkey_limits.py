"""Passkeys are asked for so often in a browser and from a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.domain.client import Client
from medonline.domain.errors import TooManyPasskeyTries
from medonline.domain.passkeys import PasskeyPurpose
from tests.services.world import ANNA, BORIS, MovableClock, at, opened

SIGN_IN = PasskeyPurpose.SIGN_IN


async def test_challenges_are_limited_by_browser_and_network(folder: Path, clock: MovableClock) -> None:
    few = {
        "passkeys_per_visitor": "3 per 10 min",
        "passkeys_per_network": "5 per 1 min",
        "raised_networks": "10.0.0.0/8",
    }
    async with opened(folder, clock, **few) as portal:
        here, there = at(ANNA, "203.0.113.5"), at(BORIS, "203.0.113.6")
        for _ in range(3):
            await portal.passkeys.login.begin(here, SIGN_IN)
        with pytest.raises(TooManyPasskeyTries):
            await portal.passkeys.login.begin(here, SIGN_IN)
        clock.move(minutes=11)
        for number in range(5):
            await portal.passkeys.login.begin(at(Client(visitor_key=f"{number:064x}"), "203.0.113.6"), SIGN_IN)
        with pytest.raises(TooManyPasskeyTries):
            await portal.passkeys.login.begin(there, SIGN_IN)
