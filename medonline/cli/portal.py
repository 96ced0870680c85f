"""A portal for one command beside the one that serves: not serving, closed at the end. Only what makes accounts also migrates."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from medonline.bootstrap import Portal, build_portal
from medonline.cli.failures import Refused
from medonline.cli.known_key import require_known_key
from medonline.cli.private_files import make_private
from medonline.cli.running import settings_beside
from medonline.config.settings import Config, Mode
from medonline.domain.security_journal import Operator
from medonline.logs.setup import set_up
from medonline.storage import migrations

T = TypeVar("T")


async def with_portal(
    act: Callable[[Portal], Awaitable[T]], *, operator: Operator | None = None, may_migrate: bool = False
) -> T:
    """What `act` gives.

    operator: who is named in the rows of the journal that `act` writes.
    may_migrate: make the database where there is none, and bring it to this version. Everything else leaves it as it is.

    Raises:
        Refused: the database is not there, or not at this version.
        ConfigurationError, MedonlineError, SQLAlchemyError: as they come.
    """
    async with _opened(operator, may_migrate=may_migrate) as portal:
        return await act(portal)


def warn_of_open_files(config: Config) -> None:
    """Make the portal's data private, and tell on standard error what is not the portal's to change."""
    for left in make_private(config):
        sys.stderr.write(f"{left}\n")


async def require_current(config: Config) -> None:
    """Whether the database is at this version.

    Raises:
        Refused: it is not there, or at another one.
    """
    file = migrations.sqlite_file(config.database)
    if file is not None and not file.exists():
        raise Refused(_no_database(file))
    if fault := (await migrations.revisions_at(config.database)).fault:
        raise Refused(fault)


def _no_database(file: Path) -> str:
    return (
        f"There is no database at {file}: run the command in the portal's folder or name its data with MEDONLINE_DATA_DIR. "
        "`medonline migrate` makes a new one."
    )


def _refuse_an_empty_demo() -> None:
    """The demo's settings make keys in its folder: not where there is nothing to read."""
    named = os.environ.get("MEDONLINE_MODE") == Mode.DEMO and not os.environ.get("MEDONLINE_DATABASE_URL")
    file = Path(os.environ.get("MEDONLINE_DATA_DIR", "var")).resolve() / "medonline.sqlite3"
    if named and not file.exists():
        raise Refused(_no_database(file))


@asynccontextmanager
async def _opened(operator: Operator | None, *, may_migrate: bool) -> AsyncIterator[Portal]:
    set_up("warning")
    config = settings_beside(None if may_migrate else _refuse_an_empty_demo)
    if may_migrate:
        await migrations.upgrade(config.database)
    else:
        await require_current(config)
    if operator is not None:
        await require_known_key(config)
    warn_of_open_files(config)
    portal = build_portal(config, operator=operator)
    try:
        yield portal
    finally:
        await portal.close()
