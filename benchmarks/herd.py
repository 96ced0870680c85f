"""A restart while many pages are open: when are all back, and is each patient at the same step?

    python -m benchmarks.herd [CHECKOUT] [--pages 1000]

Each page is a patient at step 2 of the recovery. The portal gets SIGTERM and is started again. The pages reconnect like the app's own
socket: 1 to 5 s after the portal closed with 1012, and 0.1 to 5 s after each failure. Times are counted from SIGTERM.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from benchmarks.load.measured import percentile
from benchmarks.load.options import parser_of, positive, servers_of
from benchmarks.load.pages import Pages, allow_sockets
from benchmarks.load.patient import AT_CODE, Patient
from benchmarks.load.report import print_table, write
from benchmarks.load.servers import Servers
from benchmarks.wait import SETTINGS, undelivered, wait_for_code

SHARES = (0.5, 0.95, 1.0)
ALL_BACK_WITHIN_S = 300.0


async def run(servers: Servers, wanted: int) -> dict[str, Any]:
    """How many seconds after SIGTERM the pages are back, and how many are at the same step."""
    pages = Pages()
    await pages.open(
        (
            Patient(servers.portal_url, servers.stand_ins_url, number, "telegram", undelivered(number))
            for number in range(wanted)
        ),
        wait_for_code,
    )
    why = [*pages.refused[:2], *pages.lost[:2]]
    pages.expect_restart(AT_CODE)
    before, began = servers.usage(), time.monotonic()
    await asyncio.to_thread(servers.portal.stop)
    stopped = time.monotonic()
    await asyncio.to_thread(servers.portal.start)
    ready = time.monotonic()
    async with asyncio.timeout(ALL_BACK_WITHIN_S):
        back = await pages.all_back()
    times = [one.at - began for one in back]
    found = {
        "pages": len(back),
        "stopped_s": round(stopped - began, 2),
        "ready_s": round(ready - began, 2),
        "back_s": {f"{share:.0%}": percentile(times, share) for share in SHARES},
        "at_their_step": sum(one.shows for one in back),
        "rss_before_mib": round(before.rss_mib, 1),
        "rss_after_mib": round(servers.usage().rss_mib, 1),
        "why": why,
    }
    await pages.close()
    return found


def main() -> int:
    """Exit code: 1 when a page could not be opened, or came back at another step."""
    parser = parser_of(__doc__)
    parser.add_argument("--pages", type=positive, default=1_000)
    arguments = parser.parse_args()
    with servers_of(
        arguments,
        settings=SETTINGS | {"SOCKETS_IN_ALL": allow_sockets(2 * arguments.pages)},
    ) as started:
        found = asyncio.run(run(started, arguments.pages))
    file = write("herd", found, arguments.json)
    print_table(
        ("seconds from SIGTERM", "stopped", "ready", *(f"{share} back" for share in found["back_s"])),
        [
            (
                f"{found['pages']} pages",
                f"{found['stopped_s']:.1f}",
                f"{found['ready_s']:.1f}",
                *found["back_s"].values(),
            )
        ],
    )
    print(
        f"{found['at_their_step']} of {found['pages']} pages are at the step they were at; "
        f"RSS {found['rss_before_mib']} -> {found['rss_after_mib']} MiB"
    )
    for why in found["why"]:
        print("  not opened:", why)
    print(f"numbers: {file}")
    return 1 if found["why"] or found["at_their_step"] < found["pages"] else 0


if __name__ == "__main__":
    sys.exit(main())
