"""What tabs that wait for their code cost the database: statements per second while nothing happens.

    python -m benchmarks.wait [CHECKOUT] [--tabs 1000]

Each tab is a patient at step 2 whose code was sent by Telegram and is never delivered (the stand-in's numbers that end with 0006), so there
is nothing to show until the code expires after ten minutes. Only the dispatcher works: it asks the provider for news of each code, at
growing intervals.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import Any

from benchmarks.load.options import parser_of, positive, servers_of
from benchmarks.load.pages import Pages, allow_sockets
from benchmarks.load.patient import Patient
from benchmarks.load.report import print_table, write
from benchmarks.load.servers import Servers

SETTLE_S, LOOK_S, LOOKS = 10.0, 10.0, 3
# The dispatcher asks the provider for news of a code after 2, 2, 3, 5, 8, 15, 30 … s, whether or not a tab waits.
NEWS_IS_RARE_S = 70.0
# None of these codes is ever confirmed, and the circuit breaker would take that for an attack.
SETTINGS = {"BREAKER_CONFIRMED_PERCENT": "0"}


def undelivered(number: int) -> str:
    """A phone that nothing reaches. `number` is below 81 000."""
    return f"+79{10 + number // 900:02d}{100 + number % 900:03d}0006"


async def wait_for_code(patient: Patient) -> None:
    """Open the page at step 2."""
    await patient.page()
    await patient.request()


async def run(servers: Servers, tabs: int) -> dict[str, Any]:
    """Count the statements of each second, before the tabs wait and while they do.

    Raises:
        SystemExit: the counter of statements does not count.
    """
    pages = Pages()
    await asyncio.sleep(SETTLE_S)
    alone = await _look(servers)
    counted = servers.statements().statements
    await pages.open(
        (
            Patient(servers.portal_url, servers.stand_ins_url, number, "telegram", undelivered(number))
            for number in range(tabs)
        ),
        wait_for_code,
    )
    await asyncio.sleep(NEWS_IS_RARE_S)
    looks = [await _look(servers) for _ in range(LOOKS)]
    waiting = {name: round(statistics.median(look[name] for look in looks), 2) for name in alone}
    if servers.statements().statements == counted:
        raise SystemExit("No statement was counted while tabs came to step 2: the counter does not see the portal.")
    found = {"tabs": len(pages), "alone": alone, "waiting": waiting, "why": [*pages.refused[:2], *pages.lost[:2]]}
    await pages.close()
    return found


async def _look(servers: Servers) -> dict[str, float]:
    before, counted, began = servers.usage(), servers.statements(), time.monotonic()
    await asyncio.sleep(LOOK_S)
    after, now, seconds = servers.usage(), servers.statements(), time.monotonic() - began
    return {
        "statements_per_s": round((now.statements - counted.statements) / seconds, 2),
        "transactions_per_s": round((now.begins - counted.begins) / seconds, 2),
        "commits_per_s": round((now.commits - counted.commits) / seconds, 2),
        "cpu_percent": round((after.cpu_s - before.cpu_s) * 100 / seconds, 2),
    }


def main() -> int:
    """Exit code: 1 when a tab did not reach step 2 or did not stay there."""
    parser = parser_of(__doc__)
    parser.add_argument("--tabs", type=positive, default=1_000)
    arguments = parser.parse_args()
    with servers_of(
        arguments,
        settings=SETTINGS | {"SOCKETS_IN_ALL": allow_sockets(arguments.tabs)},
    ) as started:
        found = asyncio.run(run(started, arguments.tabs))
    file = write("wait", found, arguments.json)
    names = ("statements_per_s", "transactions_per_s", "commits_per_s", "cpu_percent")
    alone, waiting, tabs = found["alone"], found["waiting"], max(1, found["tabs"])
    print_table(
        ("each second", "statements", "BEGIN", "commits", "CPU %"),
        [
            ("no tab", *(alone[name] for name in names)),
            (f"{found['tabs']} tabs wait", *(waiting[name] for name in names)),
            ("each tab", *(f"{(waiting[name] - alone[name]) / tabs:.3f}" for name in names)),
        ],
    )
    for why in found["why"]:
        print("  not at step 2:", why)
    print(f"numbers: {file}")
    return 1 if found["why"] else 0


if __name__ == "__main__":
    sys.exit(main())
