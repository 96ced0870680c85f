"""Commands that verify and export the security journal."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import click

from medonline.cli import options
from medonline.cli.at_desk import with_desk
from medonline.cli.options import mode

if TYPE_CHECKING:  # `with_desk` loads the storage and the settings: help needs neither
    from medonline.bootstrap.desk import Desk
    from medonline.services.security_journal.verification import Examined
    from medonline.storage.queries.security_journal import Head

_KNOWN = re.compile(r"([1-9]\d{0,17}):((?:[0-9a-f]{8}\.){7}[0-9a-f]{8})")


class KnownRow(click.ParamType["Head"]):
    """A row of the journal, in the form in which `journal verify` prints it."""

    name = "NUMBER:HASH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        """The row. Anything else is a usage error."""
        match = _KNOWN.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not NUMBER:HASH, as `medonline journal verify` prints it", param, ctx)
        from medonline.storage.queries.security_journal import Head

        return Head(int(match[1]), match[2].replace(".", ""))


@click.group("journal")
def journal() -> None:
    """The security journal."""


@journal.command(short_help="Check every row.")
@click.option(
    "--known",
    type=KnownRow(),
    metavar="NUMBER:HASH",
    help="A row that was the last one once, as this command or the log said: rows cut off since then are seen.",
)
@mode
def verify(known: Head | None) -> int:
    """Examine every row. Exit code 1 when a row was changed, left out or cut off. Records the time and the result for /metrics."""

    async def do(desk: Desk) -> Examined:
        found = await desk.journal_keeper.examine(known)
        _tell(found)  # printed before it is recorded, because a database that takes no writes must not hide it
        await desk.journal_keeper.record(found)
        return found

    return 1 if asyncio.run(with_desk(do)).fault else 0


def _tell(found: Examined) -> None:
    if found.fault:
        click.echo(f"The journal is broken. {found.fault}", err=True)
        return
    click.echo(f"The journal is whole: {found.rows} rows.")
    click.echo(f"It ends with {found.head}")
    if found.skipped:
        click.echo("The row that was known is past its time and deleted; it could not be compared.")
    click.echo("Keep that line outside the database: `--known` with it shows later that nothing was cut off.")


@journal.command(short_help="Print every row as JSON.")
@mode
def export() -> None:
    """Print every row as JSON, one per line, oldest first."""

    async def do(desk: Desk) -> None:
        async for row in desk.journal_keeper.everything():
            options.lines([row])

    asyncio.run(with_desk(do))
