"""Two that write at the same moment, in an order that the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from sqlmodel import Session

from medonline.storage.engine import Database
from tests.patience import PATIENCE


@asynccontextmanager
async def overtaken(action: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Before the block the action has come to its first writing transaction; it goes on after the block. Its error is raised."""
    write, arrived, goes_on = Database.write, asyncio.Event(), asyncio.Event()

    async def first_waits(database: Database, act: Callable[[Session], object]) -> object:
        if not arrived.is_set():
            arrived.set()
            await goes_on.wait()
        return await write(database, act)

    with patch.object(Database, "write", first_waits):
        task = asyncio.create_task(action)
        try:
            async with asyncio.timeout(PATIENCE):
                await arrived.wait()
            yield
        finally:
            goes_on.set()
            await task
