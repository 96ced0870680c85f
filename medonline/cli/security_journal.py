"""Commands about the security journal: whether it is whole, and all of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from typing import Any

from medonline.bootstrap import Portal
from medonline.cli.portal import with_portal
from medonline.services.security_journal.verification import Examined
from medonline.storage.queries.security_journal import Head

_KNOWN = re.compile(r"([1-9]\d{0,17}):((?:[0-9a-f]{8}\.){7}[0-9a-f]{8})")


def add_commands(commands: Any) -> None:
    """`journal verify|export`."""
    actions = commands.add_parser("journal", help="the security journal").add_subparsers(
        required=True, metavar="action"
    )
    for name, run, text in (
        ("verify", verify, "go through every row; exit code 1 when one was changed, left out or cut off"),
        ("export", export, "print every row as JSON, one a line, the oldest first"),
    ):
        made = actions.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        made.add_argument("--mode", choices=("demo", "production"), help="overrides MEDONLINE_MODE")
        if name == "verify":
            made.add_argument(
                "--known",
                type=_known,
                metavar="NUMBER:HASH",
                help="a row that was the last one once, as this command or the log said: rows cut off since then are seen",
            )


def _known(text: str) -> Head:
    match = _KNOWN.fullmatch(text)
    if match is None:
        msg = f"{text!r} is not NUMBER:HASH, as `medonline journal verify` prints it"
        raise argparse.ArgumentTypeError(msg)
    return Head(int(match[1]), match[2].replace(".", ""))


def verify(arguments: argparse.Namespace) -> int:
    """Go through every row."""

    async def do(portal: Portal) -> Examined:
        return await portal.journal_keeper.examine(arguments.known)

    found = asyncio.run(with_portal(do))
    if found.fault:
        print(f"The journal is broken. {found.fault}", file=sys.stderr)
        return 1
    print(f"The journal is whole: {found.rows} rows.")
    print(f"It ends with {found.head}")
    if found.skipped:
        print("The row that was known is past its time and deleted; it could not be compared.")
    print("Keep that line outside the database: `--known` with it shows later that nothing was cut off.")
    return 0


def export(_arguments: argparse.Namespace) -> int:
    """Print every row."""

    async def do(portal: Portal) -> None:
        async for row in portal.journal_keeper.everything():
            print(json.dumps(row, ensure_ascii=False))

    asyncio.run(with_portal(do))
    return 0
