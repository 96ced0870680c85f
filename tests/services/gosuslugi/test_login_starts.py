"""Starting a journey to Gosuslugi again and again: bounded per browser and network, one row a browser, no write for junk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import IdentityProblem, IdentityRefused, TooManyJourneys
from medonline.services.gosuslugi.login import JourneyReturn, Purpose, Waiting
from medonline.storage.queries import gosuslugi
from medonline.storage.queries.gosuslugi import SAME_CLICK
from medonline.storage.tables.gosuslugi import IdentityJourney
from tests.services.gosuslugi.journeys import all_of
from tests.services.outside import (
    RETURN,
    VERA,
    ScriptedIdentity,
    come_back,
    dump,
    leave,
    provider_of,
    with_provider,
)
from tests.services.world import ANNA, BORIS, MovableClock, at, browser, opened, statements, writes_in

CROWDED = "203.0.113.7"


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    limits = {"journeys_per_visitor": "3 per 10 min", "journeys_per_network": "5 per 1 min"}
    async with opened(folder, clock, **limits) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def start(portal: Portal, visitor: Client, client_ip: str = CROWDED) -> str:
    return await portal.identity.start(at(visitor, client_ip), Purpose.LOGIN, RETURN)


async def test_a_browser_begins_so_many_journeys_and_then_hears_until_when(portal: Portal, clock: MovableClock) -> None:
    for _ in range(3):
        await start(portal, ANNA)
        clock.move(minutes=2)
    with statements(portal) as seen, pytest.raises(TooManyJourneys) as refusal:
        await start(portal, ANNA)

    assert refusal.value.until == clock.now + timedelta(minutes=4)
    assert (seen, len(provider_of(portal).asked)) == ([], 3)  # nothing was written, signed or asked for
    assert repr(await portal.identity.refused(at(ANNA, CROWDED))) == repr(refusal.value)
    assert await portal.identity.refused(at(BORIS, CROWDED)) is None
    clock.move(minutes=4, seconds=1)
    assert await portal.identity.refused(at(ANNA, CROWDED)) is None
    await start(portal, ANNA)


async def test_a_network_begins_so_many_journeys_whatever_cookies_it_makes_up(portal: Portal) -> None:
    for number in range(5):
        await start(portal, browser(number))
    with pytest.raises(TooManyJourneys):
        await start(portal, browser(15))

    await start(portal, browser(15), "198.51.100.7")
    assert len(await all_of(portal, IdentityJourney)) == 6


async def test_a_crowd_behind_one_address_gets_to_gosuslugi_by_default(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as real:
        portal = with_provider(real, ScriptedIdentity())
        for number in range(300):
            await start(portal, browser(number))
        with pytest.raises(TooManyJourneys):
            await start(portal, ANNA)


async def test_a_browser_has_one_journey_the_one_it_began_last(portal: Portal, clock: MovableClock) -> None:
    first = await leave(portal, ANNA)
    clock.move(seconds=5)
    second = await leave(portal, ANNA)

    assert len(await all_of(portal, IdentityJourney)) == 1
    with pytest.raises(IdentityRefused) as refusal:
        await come_back(portal, ANNA, first, VERA)
    assert refusal.value.problem is IdentityProblem.STALE
    assert await come_back(portal, ANNA, second, VERA) is Waiting.CONSENT


async def test_a_journey_that_came_back_makes_room_for_the_next_one(portal: Portal) -> None:
    assert await come_back(portal, ANNA, await leave(portal, ANNA), VERA) is Waiting.CONSENT
    await portal.answers.refuse(ANNA)
    assert await come_back(portal, ANNA, await leave(portal, ANNA), VERA) is Waiting.CONSENT


@pytest.mark.parametrize(
    ("written_before", "stays"),
    [(timedelta(seconds=1), True), (SAME_CLICK, True), (SAME_CLICK + timedelta(seconds=1), False)],
    ids=["the same click", "just so", "a clock that was set back"],
)
async def test_of_two_clicks_the_later_one_stays_in_whatever_order_they_are_written(
    portal: Portal, clock: MovableClock, written_before: timedelta, stays: bool
) -> None:
    def journey(state: str, by: timedelta) -> IdentityJourney:
        facts = {"purpose": "login", "nonce": "n", "code_verifier": "v", "redirect_uri": RETURN}
        return IdentityJourney(state_hash=state, visitor_key=ANNA.visitor_key, created_at=clock.now + by, **facts)

    for made in (journey("later", written_before), journey("earlier", timedelta())):
        with portal.database.writing() as session:
            gosuslugi.replace_journey(session, made)

    assert [row.state_hash for row in await all_of(portal, IdentityJourney)] == ["later" if stays else "earlier"]


async def test_a_provider_that_cannot_be_asked_leaves_no_row(portal: Portal, folder: Path) -> None:
    provider_of(portal).down = True
    before = dump(folder)
    with pytest.raises(IdentityRefused):
        await start(portal, ANNA)

    assert dump(folder) == before


@pytest.mark.parametrize("visitor", [ANNA, BORIS, Client()])
async def test_a_made_up_state_takes_no_lock(portal: Portal, visitor: Client) -> None:
    await leave(portal, ANNA)
    somebody_writes = portal.database.writing()  # and is not waited for
    with somebody_writes, statements(portal) as seen, pytest.raises(IdentityRefused) as refusal:
        await portal.identity.finish(visitor, JourneyReturn("made-up", "code"))

    assert refusal.value.problem is IdentityProblem.STALE
    assert writes_in(seen) == []
    assert not any(text.startswith("BEGIN IMMEDIATE") for text in seen)


async def test_ten_starts_at_once_in_one_browser_leave_one_row(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as real:
        portal = with_provider(real, ScriptedIdentity())
        await asyncio.gather(*(start(portal, ANNA) for _ in range(10)))
        assert len(await all_of(portal, IdentityJourney)) == 1


async def test_a_made_up_session_is_signed_out_without_a_lock(portal: Portal) -> None:
    login = replace(portal.login)
    with portal.database.writing(), statements(portal) as seen:
        assert await login.close_session("0" * 64) is None

    assert writes_in(seen) == []
