"""What an action costs: the statements that it sends to the database, by which the tests of each flow hold their ceilings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from medonline.bootstrap import Portal
from medonline.services.codes.delivery import DeliveryState
from tests.services.world import MovableClock, ScriptedChannel, dispatch, dispatcher_of, last_row, opened, statements

COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE")
# The dearest case: each way has a price and a cap that is looked at, and the journal has a row to chain to.
EVERYTHING_COUNTS: dict[str, Any] = {
    "price_flash_call": "0.90",
    "daily_cap_flash_call": "900.00",
    "price_telegram": "1.20",
    "daily_cap_telegram": "900.00",
}


@asynccontextmanager
async def counting(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    """A portal where every limit of the day has to be looked up."""
    async with opened(folder, clock, **EVERYTHING_COUNTS) as portal:
        yield portal


async def statements_of(portal: Portal, action: Awaitable[object]) -> list[str]:
    """The questions and the writes of one action, in order. What begins and ends a transaction is not counted, and neither are
    the locks and announcements that PostgreSQL needs besides."""
    with statements(portal) as seen:
        await action
    return [text for text in seen if text.startswith(COUNTED) and not text.startswith("SELECT pg_")]


async def send(portal: Portal) -> None:
    """The provider takes the code that waits, and reports nothing yet."""
    channel = ScriptedChannel()
    await dispatch(dispatcher_of(portal, flash_call=channel, telegram=channel))
    assert (await last_row(portal)).delivery == DeliveryState.SENT
