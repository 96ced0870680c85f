"""What one patient's journey costs the portal: recover by code, set a password, sign in, open «Мои карты», over real sockets.

    python -m benchmarks.journey [CHECKOUT] --journeys 300 --concurrency 16 [--database postgresql] [--processes 2] [--sql]

Stand-ins and portal are separate processes on loopback, in a fresh folder. Settings raise the limits that a single address would hit. Only
the portal's processor time is counted. A journey: GET /, socket, page load; the recovery in the app; phone and channel; the code off the
stand-in's phone; the code; the new password; sign-in on the same page; POST /session/open; GET /cards, a new socket, the cards. Each run
also checks that the portal refuses a wrong code, a spent code, the old password and a page without a session. Exit code 1: a journey or a
check failed.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from benchmarks.load.crowd import Crowd, patient_of, play
from benchmarks.load.options import parser_of, positive, servers_of
from benchmarks.load.patient import check
from benchmarks.load.report import numbers_of, print_crowd, summary, write
from benchmarks.load.servers import Servers

CHECKS = 2
IDLE_S = 5.0


async def run(servers: Servers, warm_up: int, journeys: int, concurrency: int) -> tuple[Crowd, dict[str, Any]]:
    """The crowd, and the other results."""
    idle = servers.usage()
    await asyncio.sleep(IDLE_S)
    idle_cpu = (servers.usage().cpu_s - idle.cpu_s) * 1e3 / IDLE_S
    first = warm_up + journeys
    problems = []
    for number in range(first, first + 2 * CHECKS, 2):
        try:
            await check(patient_of(servers, number), patient_of(servers, number + 1))
        except Exception as error:  # reported at the end, and by the exit code
            problems.append(f"{type(error).__name__}: {error}")
    warm = await play(servers, range(warm_up), min(4, concurrency))
    servers.new_texts()
    crowd = await play(servers, range(warm_up, first), concurrency)
    return crowd, {
        "rss_idle_mib": round(idle.rss_mib, 1),
        "idle_cpu_ms_per_s": round(idle_cpu, 1),
        "checks": CHECKS,
        "problems": [*problems, *warm.failures],
    }


def main() -> int:
    """Exit code: 1 when a journey or a check failed."""
    parser = parser_of(__doc__)
    parser.add_argument("--journeys", type=positive, default=300)
    parser.add_argument("--concurrency", type=positive, default=16)
    parser.add_argument("--warm-up", type=positive, default=12, help="journeys before those that are counted")
    parser.add_argument("--sql", action="store_true", help="each statement and how often a journey makes it")
    arguments = parser.parse_args()
    with servers_of(
        arguments,
        patients=arguments.warm_up + arguments.journeys + 2 * CHECKS,
        with_texts=arguments.sql,
    ) as started:
        crowd, more = asyncio.run(run(started, arguments.warm_up, arguments.journeys, arguments.concurrency))
        texts = started.new_texts()
        if crowd.failures:
            print(f"the portal's log: {started.keep_log('journey')}")
    told = {"statements_by_text": dict(texts.most_common())} if arguments.sql else {}
    setting = {"database": arguments.database, "processes": arguments.processes, "journeys": arguments.journeys}
    file = write("journey", {**setting, **numbers_of(crowd), **more, **told}, arguments.json)
    print_all(crowd, more, texts)
    print(f"numbers: {file}")
    print(summary(crowd, more["rss_idle_mib"]))
    return 1 if crowd.failures or more["problems"] else 0


def print_all(crowd: Crowd, more: dict[str, Any], texts: dict[str, int]) -> None:
    """Print everything but the last line."""
    for text, many in texts.items():
        print(f"{many / crowd.done:6.2f}  {text[:200]}")
    print_crowd(crowd)
    print(f"idle: {more['idle_cpu_ms_per_s']} ms of CPU a second; checks of what must be refused: {more['checks']}")
    for problem in more["problems"]:
        print("  not as it must be:", problem)


if __name__ == "__main__":
    sys.exit(main())
