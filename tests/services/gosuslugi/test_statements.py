"""What the proof by a code asks of the database when an account is linked. A ceiling is raised with a reason only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.services.gosuslugi.login import Waiting
from tests.services.gosuslugi.journeys import MARIA
from tests.services.outside import ScriptedIdentity, arrive, with_provider
from tests.services.statement_counts import counting, send, statements_of
from tests.services.world import ANNA, BORIS, CALL, KNOWN, MovableClock, last_code


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with counting(folder, clock) as portal:
        await portal.recovery.begin(BORIS, "+79000007001", CALL)  # the journal and the day's spending have begun
        proving = with_provider(portal, ScriptedIdentity())
        assert await arrive(proving, ANNA, MARIA) is Waiting.PROOF
        yield proving


async def test_a_code(portal: Portal) -> None:
    # Who waits is looked at twice: before a place within the limits is taken, and in the transaction.
    assert len(await statements_of(portal, portal.answers.send_code(ANNA, KNOWN, CALL))) <= 11


async def test_one_look_of_the_watch(portal: Portal) -> None:
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    await send(portal)

    assert len(await statements_of(portal, portal.answers.current(ANNA))) <= 4


async def test_the_right_code(portal: Portal) -> None:
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    await send(portal)
    code = await last_code(portal, KNOWN)
    tickets: list[str] = []

    async def confirm() -> None:
        tickets.append(await portal.answers.confirm_code(ANNA, code))

    # On PostgreSQL each transaction reads where the journal ends: another process may have written.
    assert len(await statements_of(portal, confirm())) <= (23 if portal.database.sqlite else 24)
    assert await portal.login.open_session(ANNA, tickets[0]) is not None
