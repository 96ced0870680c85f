"""The command line options that all load benchmarks share."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks.load.servers import CHECKOUT, Servers, servers


def checkout_parser(text: str | None) -> argparse.ArgumentParser:
    """A parser with CHECKOUT. It also makes sure that the servers end with the program, even on SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "checkout",
        type=lambda name: Path(name).resolve(),
        nargs="?",
        default=CHECKOUT,
        help="whose portal; with its own .venv",
    )
    return parser


def parser_of(text: str | None) -> argparse.ArgumentParser:
    """Like `checkout_parser`, with database, processes and the file for the JSON."""
    parser = checkout_parser(text)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--processes", type=positive, default=1, help="of the portal; more than 1 need PostgreSQL")
    parser.add_argument("--json", type=Path, help="the file of the numbers; var/benchmarks/NAME.json without it")
    return parser


def servers_of(arguments: argparse.Namespace, **more: Any) -> AbstractContextManager[Servers]:
    """The servers for these command line options. `more`: as for `servers`."""
    chosen = {"database": arguments.database, "processes": arguments.processes}
    return servers(arguments.checkout, **chosen, **more)


def positive(text: str) -> int:
    """Read a whole number above 0.

    Raises:
        argparse.ArgumentTypeError: the text is no such number.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
