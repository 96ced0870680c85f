"""Does a journey cost more when the database has grown? It compares a thousand accounts with a million, and five million journal rows.

    python -m benchmarks.growth [CHECKOUT] [--accounts 1000000] [--journal 5000000] [--rounds 5] [--journeys 40]

Two portals run side by side, one with a small database and one with a large one. Rounds of journeys alternate between them, so a busy
machine disturbs both alike. The medians of the rounds are compared. The rows are made in bulk: they have no hash chain, and one of the
journal's triggers is off while they are made.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.load.crowd import play
from benchmarks.load.databases import Database
from benchmarks.load.options import parser_of, positive, servers_of
from benchmarks.load.report import numbers_of, print_table, write
from benchmarks.load.servers import Servers

SMALL_ACCOUNTS = 1_000
CONCURRENCY = 4
WARM_UP = 12
BATCH = 100_000  # journal rows that share one time
COMPARED = ("cpu_ms", "hashes", "statements", "p50_ms", "p95_ms")
# The trigger looks at each row's number, which costs more than inserting the row.
_TRIGGER = "security_journal_leaves_nothing_out"


def journal_rows(first: int, many: int, accounts: int, at: datetime) -> str:
    """The statement that makes `many` rows from number `first` on, with the accounts in turn."""
    return f"""
        WITH RECURSIVE numbers(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {first + many})
        INSERT INTO security_journal (seq, at, event, patient_id, phone_index, phone_tail, network, details, previous, key_id, hash)
        SELECT i, '{at:%Y-%m-%d %H:%M:%S}.000000', 'signed_in', 'bench' || (i % {accounts}), 'of-bench' || (i % {accounts}), '00',
            '203.0.113.0/24', '{{}}', 'previous' || i, 'bench', 'previous' || (i + 1)
        FROM numbers
    """  # noqa: S608  # numbers of our own


def fill_journal(database: Database, many: int, accounts: int) -> None:
    """Make the oldest rows first, one batch per day. The newest are two days old."""
    today = datetime.now(UTC)
    batches = [(first, min(BATCH, many - first + 1)) for first in range(1, many + 1, BATCH)]
    rows = (
        journal_rows(first, size, accounts, today - timedelta(days=len(batches) + 1 - number))
        for number, (first, size) in enumerate(batches)
    )
    database.run(*rows, without_trigger=_TRIGGER)


async def run(small: Servers, large: Servers, rounds: int, journeys: int) -> dict[str, list[dict[str, Any]]]:
    """Run the rounds of both portals in turn."""
    found: dict[str, list[dict[str, Any]]] = {"small": [], "large": []}
    for started in (small, large):
        await play(started, range(WARM_UP), CONCURRENCY)
    for number in range(rounds):
        first = WARM_UP + number * journeys
        pair = (("small", small), ("large", large))
        for name, started in pair if number % 2 else pair[::-1]:
            numbers = numbers_of(await play(started, range(first, first + journeys), CONCURRENCY))
            of_journey = {f"{share}_ms": ms for share, ms in numbers["journey_ms"].items()}
            found[name].append(numbers | of_journey)
    return found


def main() -> int:
    """Exit code: 1 when a journey failed."""
    parser = parser_of(__doc__)
    parser.add_argument("--accounts", type=positive, default=1_000_000)
    parser.add_argument("--journal", type=positive, default=5_000_000, help="rows of the large journal")
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--journeys", type=positive, default=40, help="of each round")
    arguments = parser.parse_args()
    needed = WARM_UP + arguments.rounds * arguments.journeys
    with ExitStack() as stack:

        def start(patients: int, fill: Callable[[Database], None] | None = None) -> Servers:
            return stack.enter_context(servers_of(arguments, patients=patients, fill=fill))

        small = start(max(SMALL_ACCOUNTS, needed))
        began = time.monotonic()
        accounts = max(arguments.accounts, needed)

        def fill(database: Database) -> None:
            fill_journal(database, arguments.journal, accounts)

        large = start(accounts, fill)
        made_s = time.monotonic() - began
        found = asyncio.run(run(small, large, arguments.rounds, arguments.journeys))
    medians = {
        name: {what: statistics.median(one[what] for one in many) for what in COMPARED} for name, many in found.items()
    }
    ratios = {what: round(medians["large"][what] / medians["small"][what], 3) for what in COMPARED}
    sizes = {"accounts": accounts, "journal": arguments.journal, "made_s": round(made_s, 1)}
    file = write("growth", {**sizes, "medians": medians, "ratios": ratios, "rounds": found}, arguments.json)
    print_table(
        ("medians of the rounds", "CPU ms", "hashes", "statements", "p50 ms", "p95 ms"),
        [
            (f"{max(SMALL_ACCOUNTS, needed)} accounts", *medians["small"].values()),
            (f"{accounts} accounts, {arguments.journal} rows", *medians["large"].values()),
            ("ratio", *(f"{ratio:.3f}" for ratio in ratios.values())),
        ],
    )
    failures = [failure for many in found.values() for one in many for failure in one["failures"]]
    for failure in failures[:5]:
        print("  failed:", failure)
    print(f"numbers: {file} (the large portal took {made_s:.0f} s to make)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
