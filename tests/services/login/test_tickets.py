"""A ticket is good once, in its own browser, for half a minute."""

from __future__ import annotations

import asyncio

import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import new_token
from tests.services.world import ANNA, BORIS, KNOWN, PASSWORD, MovableClock


async def test_a_ticket_is_good_once(portal: Portal) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    tokens = await asyncio.gather(*(portal.login.open_session(ANNA, ticket) for _ in range(10)))

    assert sum(token is not None for token in tokens) == 1


async def test_a_ticket_is_good_in_its_own_browser_only_and_a_thief_does_not_spoil_it(portal: Portal) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)

    assert await portal.login.open_session(BORIS, ticket) is None
    assert await portal.login.open_session("", ticket) is None
    assert await portal.login.open_session(ANNA, ticket) is not None


@pytest.mark.parametrize(("seconds", "good"), [(29.9, True), (30, False), (3600, False)])
async def test_a_ticket_is_good_for_thirty_seconds(
    portal: Portal, clock: MovableClock, seconds: float, good: bool
) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    clock.move(seconds=seconds)

    assert (await portal.login.open_session(ANNA, ticket) is not None) is good


@pytest.mark.parametrize("ticket", ["", "x", pytest.param(new_token(), id="made up"), "\x00", "я" * 64])
async def test_a_made_up_ticket_opens_nothing(portal: Portal, ticket: str) -> None:
    assert await portal.login.open_session(ANNA, ticket) is None
