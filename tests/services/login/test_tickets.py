"""A ticket is good once, in its own browser, for half a minute."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.services.crypto.tokens import new_token
from medonline.storage.queries import patients
from tests.services.world import ANNA, BORIS, KNOWN, PASSWORD, MovableClock, patient_with, sign_in


async def test_a_ticket_is_good_once(portal: Portal) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    tokens = await asyncio.gather(*(portal.login.open_session(ANNA, ticket) for _ in range(10)))

    assert sum(token is not None for token in tokens) == 1


async def test_a_ticket_is_good_in_its_own_browser_only_and_a_thief_does_not_spoil_it(portal: Portal) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)

    assert await portal.login.open_session(BORIS, ticket) is None
    assert await portal.login.open_session(Client(), ticket) is None
    assert await portal.login.open_session(ANNA, ticket) is not None


@pytest.mark.parametrize(("seconds", "good"), [(29.9, True), (30, False), (3600, False)])
async def test_a_ticket_is_good_for_thirty_seconds(
    portal: Portal, clock: MovableClock, seconds: float, good: bool
) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    clock.move(seconds=seconds)

    assert (await portal.login.open_session(ANNA, ticket) is not None) is good


@pytest.mark.parametrize("seconds", [0, -3600], ids=["within one tick", "under a clock set back"])
async def test_a_ticket_does_not_outlive_its_password_whatever_the_clock_says(portal: Portal, seconds: int) -> None:
    """The change has the time of the change before it: a time is no version."""
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    before = await patient_with(portal)
    assert before.password_hash is not None
    assert before.password_changed_at is not None
    for at in (before.password_changed_at + timedelta(seconds=seconds), before.password_changed_at):
        with portal.database.writing() as session:
            patients.set_password(session, before.id, before.password_hash, at)

    assert (await patient_with(portal)).password_changed_at == before.password_changed_at
    assert await portal.login.open_session(ANNA, ticket) is None
    assert await sign_in(portal, ANNA)


async def test_a_hash_made_anew_over_the_same_password_ends_nothing(portal: Portal) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    patient = await patient_with(portal)
    assert patient.password_hash is not None
    with portal.database.writing() as session:
        assert patients.replace_hash(session, patient.id, patient.password_hash, "a newer hash")

    assert await portal.login.open_session(ANNA, ticket) is not None


@pytest.mark.parametrize("ticket", ["", "x", pytest.param(new_token(), id="made up"), "\x00", "я" * 64])
async def test_a_made_up_ticket_opens_nothing(portal: Portal, ticket: str) -> None:
    assert await portal.login.open_session(ANNA, ticket) is None
