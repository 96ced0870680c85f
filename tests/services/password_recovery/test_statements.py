"""What each action of a recovery asks of the database. A ceiling is raised with a reason only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import CodeMismatch
from medonline.domain.password_recovery import RecoveryStep
from tests.services.statement_counts import counting, send, statements_of
from tests.services.world import ANNA, BORIS, CALL, KNOWN, TELEGRAM, UNKNOWN, MovableClock, last_code, wrong


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with counting(folder, clock) as portal:
        await portal.recovery.begin(BORIS, "+79000007001", CALL)  # the journal and the day's spending have begun
        yield portal


async def at_code(portal: Portal, phone: str = KNOWN) -> str:
    await portal.recovery.begin(ANNA, phone, CALL)
    await send(portal)
    return await last_code(portal, phone)


async def test_the_right_code_of_a_known_phone(portal: Portal) -> None:
    code = await at_code(portal)
    seen = await statements_of(portal, portal.recovery.confirm_code(ANNA, code))

    assert len(seen) <= 9
    view = await portal.recovery.current(ANNA)
    assert view is not None
    assert view.step is RecoveryStep.NEW_PASSWORD


async def test_confirming_a_code_builds_one_view_and_asks_nothing_for_another_code(portal: Portal) -> None:
    code = await at_code(portal)
    seen = await statements_of(portal, portal.recovery.confirm_code(ANNA, code))

    assert not any("channel_spending" in text for text in seen)  # what another code would cost
    assert not any("FROM one_time_code WHERE one_time_code.phone = ?" in text and "sum(" not in text for text in seen)
    with_the_view = [text for text in seen if text.startswith("SELECT password_recovery.")]
    assert len(with_the_view) == 2  # one look before the transaction, one in it


async def test_a_wrong_code_costs_the_same_for_known_and_unknown_phones(portal: Portal) -> None:
    async def miss(visitor: Client, code: str) -> None:
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(visitor, wrong(code))

    await portal.recovery.begin(BORIS, UNKNOWN, CALL)
    visits = ((ANNA, await at_code(portal)), (BORIS, await last_code(portal, UNKNOWN)))
    known, unknown = [await statements_of(portal, miss(visitor, code)) for visitor, code in visits]

    assert known == unknown
    # PostgreSQL locks the journal's head by a statement of its own.
    assert len(known) <= (9 if portal.database.sqlite else 10)


@pytest.mark.parametrize("phone", [KNOWN, UNKNOWN])
async def test_one_look_of_the_watch(portal: Portal, phone: str) -> None:
    await at_code(portal, phone)

    assert len(await statements_of(portal, portal.recovery.current(ANNA))) <= 3


async def test_one_look_of_the_watch_after_several_codes(portal: Portal, clock: MovableClock) -> None:
    for minutes in (0, 5):
        clock.move(minutes=minutes)
        await at_code(portal)
        await portal.recovery.leave(ANNA)
        clock.move(minutes=10)
    await at_code(portal)

    assert len(await statements_of(portal, portal.recovery.current(ANNA))) <= 3


async def test_the_first_begin(portal: Portal) -> None:
    assert len(await statements_of(portal, portal.recovery.begin(ANNA, KNOWN, CALL))) <= 9


async def test_another_code(portal: Portal, clock: MovableClock) -> None:
    await at_code(portal)
    clock.move(minutes=2)

    assert (
        len(await statements_of(portal, portal.recovery.resend(ANNA, TELEGRAM))) <= 12
    )  # the phone is read before a place is taken
