"""What a command's desk needs first: the settings, the database at this version, private files."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from medonline.bootstrap.desk import Desk, build_desk
from medonline.cli.failures import Refused
from medonline.cli.known_key import require_known_key
from medonline.cli.private_files import make_private
from medonline.cli.running import settings_beside
from medonline.config.demo_keys import has_demo_keys
from medonline.config.settings import Config, Mode
from medonline.domain.security_journal import Operator
from medonline.logs.setup import set_up
from medonline.storage.revisions import revisions_at, sqlite_file


def warn_of_open_files(config: Config) -> None:
    """Make the portal's data private. Report on standard error the files that the portal may not change."""
    for left in make_private(config):
        sys.stderr.write(f"{left}\n")


async def require_current(config: Config) -> None:
    """Check that the database is at this version.

    Raises:
        Refused: it does not exist, or is at another version.
    """
    file = sqlite_file(config.database)
    if file is not None and not file.exists():
        raise Refused(_no_database(file))
    if fault := (await revisions_at(config.database)).fault:
        raise Refused(fault)


def _no_database(file: Path) -> str:
    return (
        f"There is no database at {file}: run the command in the portal's folder or name its data with MEDONLINE_DATA_DIR. "
        "`medonline migrate` makes a new one."
    )


def refuse_an_empty_demo() -> None:
    """Refuse a demo folder in which no demo ever ran: reading the demo's settings would create keys there.

    Raises:
        Refused: no demo was ever in the folder that the environment names.
    """
    folder = Path(os.environ.get("MEDONLINE_DATA_DIR", "var")).resolve()
    file = folder / "medonline.sqlite3"
    if os.environ.get("MEDONLINE_MODE") == Mode.DEMO and not file.exists() and not has_demo_keys(folder):
        raise Refused(_no_database(file))


@asynccontextmanager
async def opened(operator: Operator | None, *, may_migrate: bool) -> AsyncIterator[Desk]:
    """See `at_desk.with_desk`."""
    set_up("warning")
    config = settings_beside(None if may_migrate else refuse_an_empty_demo)
    if may_migrate:
        from medonline.storage import migrations  # Alembic takes longer to load than most commands take

        await migrations.upgrade(config.database)
    else:
        await require_current(config)
    if operator is not None:
        await require_known_key(config)
    warn_of_open_files(config)
    desk = build_desk(config, operator=operator)
    try:
        yield desk
    finally:
        await desk.close()
