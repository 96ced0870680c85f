"""Measures `medonline accounts find` on many accounts: the search itself, the memory beyond the idle portal, the whole command.

    python -m benchmarks.accounts_find [--accounts 1000000] [--rounds 5]

The accounts are made in bulk in a SQLite database in its own folder. A fresh process opens the portal, notes its memory, and searches by
phone, id and name. Then the command is run from a shell. Exit code 1 when a search found a wrong number of accounts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.load.accounts import accounts, phone_of
from benchmarks.load.databases import Sqlite
from benchmarks.load.options import positive
from benchmarks.load.report import print_table, write

# The search texts, and how many accounts each one matches.
SEARCHES = {
    "phone": (phone_of(4_711), 1),
    "id": ("bench4711", 1),
    "name": ("Единственный Пётр", 1),
    "nobody": ("Несуществующий", 0),
}
# The names of the bulk accounts contain their numbers, and a text with a number in it is not taken for a person's name. So one gets a real
# name.
_NAME = "UPDATE patient SET last_name = 'Единственный' WHERE id = 'bench4711'"
SMALLEST = 5_000  # the account that is searched for is among these


def search(rounds: int) -> dict[str, Any]:
    """Run in a separate process. Returns the milliseconds of each search, and how many MB more than the idle portal the process uses at
    the end."""
    from medonline.bootstrap import build_portal
    from medonline.config.settings import load_config

    async def run() -> dict[str, Any]:
        portal = build_portal(load_config())
        await portal.database.is_alive()
        idle, took, wrong = _peak_mb(), {}, []
        for name, (wanted, expected) in SEARCHES.items():
            times = []
            for _ in range(rounds):
                began = time.perf_counter()
                found = await portal.accounts.find(wanted)
                times.append((time.perf_counter() - began) * 1000)
                wrong += [name] if len(found) != expected else []
            took[name] = {"first_ms": times[0], "median_ms": statistics.median(times), "worst_ms": max(times)}
        await portal.close()
        return {"searches": took, "over_idle_mb": _peak_mb() - idle, "wrong": wrong}

    return asyncio.run(run())


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(folder: Path, many: int, rounds: int) -> dict[str, Any]:
    """Make the database and search it."""
    environment = {**os.environ, "MEDONLINE_MODE": "demo", "MEDONLINE_DATA_DIR": str(folder)}
    command = [str(Path(sys.executable).with_name("medonline"))]
    subprocess.run([*command, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
    Sqlite(folder / "medonline.sqlite3").run(accounts(0, many), _NAME)
    searching = [sys.executable, "-m", "benchmarks.accounts_find", "--search", "--rounds", str(rounds)]
    done = subprocess.run(searching, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    began = time.perf_counter()
    finding = [*command, "accounts", "find", SEARCHES["phone"][0]]
    subprocess.run(finding, env=environment, check=True, stdout=subprocess.DEVNULL)
    return {"accounts": many, **found, "command_s": time.perf_counter() - began}


def main() -> int:
    """Exit code: 1 when a search found a wrong number of accounts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=positive, default=1_000_000)
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument(
        "--json", type=Path, help="the file of the numbers; var/benchmarks/accounts_find.json without it"
    )
    parser.add_argument("--search", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.search:
        print(json.dumps(search(arguments.rounds)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), max(arguments.accounts, SMALLEST), arguments.rounds)
    rows = [(name, *times.values()) for name, times in found["searches"].items()]
    print_table(("search by", "first ms", "median ms", "worst ms"), rows)
    print(f"memory over the idle portal: {found['over_idle_mb']:.0f} MB; the whole command: {found['command_s']:.1f} s")
    print(f"numbers: {write('accounts_find', found, arguments.json)}")
    for name in found["wrong"]:
        print(f"  wrong: the search by {name} found another number of accounts")
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
