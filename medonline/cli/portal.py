"""A portal for one command beside the one that serves: migrated, not serving, closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from medonline.bootstrap import Portal, build_portal
from medonline.config.settings import load_config
from medonline.logs.setup import set_up
from medonline.storage import migrations

T = TypeVar("T")


async def with_portal(act: Callable[[Portal], Awaitable[T]]) -> T:
    """What `act` gives.

    Raises:
        ConfigurationError, MedonlineError, SQLAlchemyError: as they come.
    """
    async with _opened() as portal:
        return await act(portal)


@asynccontextmanager
async def _opened() -> AsyncIterator[Portal]:
    set_up("warning")
    portal = build_portal(load_config())
    await migrations.upgrade(portal.config.database)
    try:
        yield portal
    finally:
        await portal.close()
