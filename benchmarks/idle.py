"""What an open but inactive page costs: memory per page, idle processor time, and the memory that is freed when all are closed.

    python -m benchmarks.idle [CHECKOUT] [--pages 1000 5000 10000]

Each page is a separate browser on /recovery. It is loaded, and its socket answers pings. One portal takes the numbers of pages one after
the other. If not all pages could be opened, the last line of the table says how far it got.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from benchmarks.load.options import parser_of, positive, servers_of
from benchmarks.load.pages import Pages, allow_sockets
from benchmarks.load.patient import Patient
from benchmarks.load.report import print_table, write
from benchmarks.load.servers import Servers

SETTLE_S, LOOK_S = 12.0, 20.0


async def open_recovery(patient: Patient) -> None:
    """Open the recovery page at its first step."""
    await patient.open("/recovery")


async def run(servers: Servers, steps: list[int]) -> list[dict[str, Any]]:
    """One row per number of pages, and one for the time after all are closed."""
    pages, rows, opened = Pages(), list[dict[str, Any]](), 0
    before = servers.usage()
    for wanted in steps:
        began = time.monotonic()
        await pages.open(
            (Patient(servers.portal_url, servers.stand_ins_url, number) for number in range(opened, wanted)),
            open_recovery,
        )
        opening_s = time.monotonic() - began
        await asyncio.sleep(SETTLE_S)
        then, began = servers.usage(), time.monotonic()
        await asyncio.sleep(LOOK_S)
        now = servers.usage()
        rows.append(
            {
                "pages": len(pages),
                "opened_per_s": round((wanted - opened) / opening_s, 1),
                "rss_mib": round(now.rss_mib, 1),
                "kib_per_page": round((now.rss_mib - before.rss_mib) * 1024 / max(1, len(pages)), 1),
                "idle_cpu_percent": round((now.cpu_s - then.cpu_s) * 100 / (time.monotonic() - began), 2),
                "refused": len(pages.refused),
                "lost": len(pages.lost),
                "why": [*pages.refused[:2], *pages.lost[:2]],
            }
        )
        opened = wanted
        if pages.refused or pages.lost:
            break
    await pages.close()
    await asyncio.sleep(SETTLE_S)
    rows.append({"pages": 0, "rss_mib": round(servers.usage().rss_mib, 1), "before_mib": round(before.rss_mib, 1)})
    return rows


def main() -> int:
    """Exit code: 1 when a page could not be opened or did not stay open."""
    parser = parser_of(__doc__)
    parser.add_argument(
        "--pages", type=positive, nargs="+", default=[1_000, 5_000, 10_000], help="steps, the smallest first"
    )
    arguments = parser.parse_args()
    most = max(arguments.pages)
    with servers_of(
        arguments,
        settings={"SOCKETS_IN_ALL": allow_sockets(most)},
    ) as started:
        *steps, closed = asyncio.run(run(started, sorted(arguments.pages)))
    file = write("idle", {"steps": steps, "closed": closed}, arguments.json)
    names = ("pages", "rss_mib", "kib_per_page", "idle_cpu_percent", "opened_per_s", "refused", "lost")
    print_table(
        ("pages", "RSS MiB", "KiB a page", "idle CPU %", "opened/s", "refused", "lost", "to the first"),
        [(*(row[name] for name in names), f"{row['kib_per_page'] / steps[0]['kib_per_page']:.2f}") for row in steps],
    )
    print(f"before {closed['before_mib']} MiB, after all are closed {closed['rss_mib']} MiB")
    for why in steps[-1]["why"]:
        print("  not opened or not kept:", why)
    print(f"numbers: {file}")
    return 1 if steps[-1]["why"] else 0


if __name__ == "__main__":
    sys.exit(main())
