"""A portal for one command beside the one that serves: migrated, not serving, closed at the end."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from medonline.bootstrap import Portal, build_portal
from medonline.cli.private_files import make_private
from medonline.config.settings import Config, load_config
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


def warn_of_open_files(config: Config) -> None:
    """Make the portal's data private, and tell on standard error what is not the portal's to change."""
    for left in make_private(config):
        sys.stderr.write(f"{left}\n")


@asynccontextmanager
async def _opened() -> AsyncIterator[Portal]:
    set_up("warning")
    config = load_config()
    warn_of_open_files(config)
    portal = build_portal(config)
    await migrations.upgrade(portal.config.database)
    try:
        yield portal
    finally:
        await portal.close()
