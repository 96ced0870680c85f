"""Journeys while something breaks, then the invariants I1-I9: nothing that the portal promised is lost, and it recovers by itself.

    python -m benchmarks.faults [CHECKOUT] [--only NAME ...] [--kills 100] [--seed N] [--json FILE]

Patients recover their passwords by code, sign in and look at their cards over real sockets. Meanwhile the process is killed, the database
is locked, full, read-only or gone, Redis is away, a provider misbehaves, or the clock is an hour off. Each patient continues at the step
that the portal shows. Each fault gets one line: what the patients saw instead of the next step, what was lost, how long after the fault the
portal was ready and a fresh journey done, and which invariants are violated. Exit code 1: something was lost, was violated or did not
recover. A fault that cannot be played on this machine is skipped, with a line that says why.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.faults.stage import Outcome, Stage, stage, why_no_disk
from benchmarks.faults.troubles import Fault, faults
from benchmarks.load.options import checkout_parser, positive
from benchmarks.load.report import write


async def play(fault: Fault, on: Stage) -> Outcome:
    """Play one fault and check the invariants."""
    outcome = Outcome(fault.name, on.name)
    await fault.play(on, outcome)
    outcome.violations.extend(await on.check())
    return outcome


def skipped(fault: Fault) -> str:
    """Why the fault cannot be played here. Empty when it can."""
    return why_no_disk() if fault.stage == "disk" else ""


def play_all(chosen: list[Fault], seed: int, checkout: Path) -> list[Outcome]:
    """Play the faults stage by stage, and print each outcome as soon as it is known."""
    outcomes = []
    for name, group in groupby(chosen, key=lambda fault: fault.stage):
        of_stage = list(group)
        if why := skipped(of_stage[0]):
            outcomes += [Outcome(fault.name, name, skipped=why) for fault in of_stage]
            for outcome in outcomes[-len(of_stage) :]:
                print(line_of(outcome), flush=True)
            continue
        with stage(name, random.Random(seed), checkout) as on:
            for fault in of_stage:
                outcomes.append(asyncio.run(play(fault, on)))
                print(line_of(outcomes[-1]), flush=True)
    return outcomes


def line_of(outcome: Outcome) -> str:
    """The outcome in the form for people."""
    if outcome.skipped:
        return f"{outcome.name}: SKIPPED: {outcome.skipped}"
    times = f" x{outcome.times}" if outcome.times > 1 else ""
    parts = [
        f"{outcome.name}{times}: {outcome.patients} patients saw {_counted(outcome.saw) or 'nothing of it'}",
        f"ready meanwhile: {_counted(outcome.ready) or 'not asked'}",
        f"lost: {'; '.join(outcome.lost) or 'nothing'}",
        f"back by itself: {_back(outcome)}",
        f"violations: {'; '.join(outcome.violations) or 'none'}",
    ]
    return " | ".join(parts)


def _counted(found: Counter[Any]) -> str:
    return ", ".join(f"«{what}» {many} times" for what, many in found.most_common())


def _back(outcome: Outcome) -> str:
    if outcome.back_s is None:
        return "NO"
    return f"ready after {outcome.ready_s:.1f} s, a fresh journey after {outcome.back_s:.1f} s"


def facts_of(outcome: Outcome) -> dict[str, Any]:
    """The outcome in the form for programs."""
    return {**vars(outcome), "saw": dict(outcome.saw), "ready": dict(outcome.ready), "good": outcome.good}


def main() -> int:
    """Exit code: 1 when something was lost, was violated or did not recover."""
    parser = checkout_parser(__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names, or their beginnings; --list shows them")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    parser.add_argument("--kills", type=positive, default=100, help="of the portal, on each database")
    parser.add_argument("--seconds", type=positive, help="how long each other fault lasts instead of its own time")
    parser.add_argument("--seed", type=positive, default=secrets.randbelow(10**6) + 1, help="of the random points")
    parser.add_argument("--json", type=Path, help="the file of the outcomes; var/benchmarks/faults.json without it")
    arguments = parser.parse_args()
    known = faults(arguments.kills, arguments.seconds)
    chosen = [fault for fault in known if not arguments.only or fault.name.startswith(tuple(arguments.only))]
    if arguments.list or not chosen:
        print(*(fault.name for fault in known), sep="\n")
        return 0 if arguments.list else 2
    print(f"seed: {arguments.seed}", flush=True)
    outcomes = play_all(chosen, arguments.seed, arguments.checkout)
    facts = {"seed": arguments.seed, "kills": arguments.kills, "outcomes": [facts_of(one) for one in outcomes]}
    print(f"outcomes: {write('faults', facts, arguments.json)}")
    bad = [outcome.name for outcome in outcomes if not outcome.good]
    left_out = [outcome.name for outcome in outcomes if outcome.skipped]
    print(f"faults: {len(outcomes)} played, {len(left_out)} skipped, not good: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
