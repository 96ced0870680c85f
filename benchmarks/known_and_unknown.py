"""Can a stranger tell whether a number has an account before the number is proved? Compares every action that takes a number: times, texts
and writes.

Each action has a database file of its own. Its visits are interleaved: each round takes every kind of number once, in varying order, and
each number is new. `diff` is the largest difference between the medians of unknown numbers and of any other kind (`cpu`: of processor
time, which other processes disturb less). I8 requires less than 5 ms, the same texts and the same writes. While a difference is greater,
rounds are added, up to eight times as many: noise shrinks, a real difference stays. Exit code 1 when an action breaks I8.

`python -m benchmarks.known_and_unknown 30 polling resend` sets the rounds, and selects the actions with these words.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from medonline.config.settings import load_config
from medonline.storage import migrations
from tests.services.known_and_unknown import (
    SCENARIOS,
    Kind,
    Outcome,
    Scenario,
    Stage,
    by_table,
    make_accounts,
    play,
    staged,
)

ROUNDS = 50
MOST = 8  # this many times the rounds, while a difference is too great
MAX_DIFFERENCE_MS = 5.0


@dataclass
class Row:
    """The results of one action for each kind of number."""

    scenario: Scenario
    outcomes: dict[Kind, list[Outcome]]

    def median(self, kind: Kind) -> float:
        """The median in milliseconds."""
        return statistics.median(one.ms for one in self.outcomes[kind])

    @property
    def difference(self) -> float:
        """The largest difference in milliseconds, with its sign."""
        return max((self.median(kind) - self.median(Kind.UNKNOWN) for kind in self.scenario.kinds[:-1]), key=abs)

    @property
    def cpu_difference(self) -> float:
        """The same for processor time."""
        medians = {kind: statistics.median(one.cpu_ms for one in many) for kind, many in self.outcomes.items()}
        return max((medians[kind] - medians[Kind.UNKNOWN] for kind in self.scenario.kinds[:-1]), key=abs)

    @property
    def faults(self) -> list[str]:
        """What distinguishes known numbers from unknown ones."""
        several = list(zip(*self.outcomes.values(), strict=True))  # by round
        faults = []
        if any(len({one.shown for one in same}) > 1 for same in several):
            faults.append("TEXTS")
        if any(len({(one.writes, one.commits) for one in same}) > 1 for same in several):
            faults.append("WRITES")
        if abs(self.difference) > MAX_DIFFERENCE_MS:
            faults.append("TIME")
        return faults


async def observe(stage: Stage, scenario: Scenario, rounds: int) -> Row:
    """Run all rounds of one action."""
    row = Row(scenario, {kind: [] for kind in scenario.kinds})
    done = 0
    while done < rounds or (done < MOST * rounds and abs(row.difference) > MAX_DIFFERENCE_MS):
        await make_accounts(stage, scenario, range(done, done + rounds))
        for number in range(done, done + rounds):
            turn = number % len(scenario.kinds)
            for kind in (*scenario.kinds[turn:], *scenario.kinds[:turn]):
                row.outcomes[kind].append(await play(stage, scenario, kind, number))
        done += rounds
    return row


def print_row(row: Row) -> None:
    """Print the numbers. If kinds differ in what is shown or written, print that below them for each kind."""
    others = (f"{kind} {row.median(kind):.2f}" for kind in row.scenario.kinds if kind not in (Kind.KNOWN, Kind.UNKNOWN))
    verdict = f"DIFFER: {', '.join(row.faults)}" if row.faults else "same"
    print(
        f"{row.scenario.title:36} {len(row.outcomes[Kind.KNOWN]):6} {row.median(Kind.KNOWN):8.2f}"
        f" {row.median(Kind.UNKNOWN):8.2f} {row.difference:+7.2f} {row.cpu_difference:+7.2f}   {verdict}  {', '.join(others)}"
    )
    told: dict[str, list[str]] = {}
    for kind, many in row.outcomes.items():
        one = many[-1]
        text = f"{one.shown}\n    writes: {by_table(one.writes)}; commits: {one.commits}; reads: {one.reads}"
        told.setdefault(text, []).append(kind)
    for text, kinds in told.items():
        print(f"    {'' if len(told) == 1 else ', '.join(kinds) + ': '}{text}", flush=True)


async def report(rounds: int, words: list[str]) -> int:
    """Print the table. Returns how many actions break I8."""
    chosen = [one for one in SCENARIOS if not words or any(word in one.title for word in words)]
    print(f"medians in ms\n{'':36} {'rounds':>6} {'known':>8} {'unknown':>8} {'diff':>7} {'cpu':>7}   verdict")
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty")
        await migrations.upgrade(load_config(mode="demo", data_dir=empty).database)
        for number, scenario in enumerate(chosen):
            # A portal for each action: one begins at most a thousand runs of refusals in its journal an hour, and no hour passes here.
            async with staged(shutil.copytree(empty, Path(folder, str(number)))) as stage:
                row = await observe(stage, scenario, rounds)
            print_row(row)
            broken += bool(row.faults)
    print(f"{len(chosen)} actions; {broken} of them tell known numbers from unknown ones")
    return broken


def main() -> int:
    """Exit code: 1 when known and unknown numbers can be told apart."""
    logging.disable(logging.CRITICAL)
    return 1 if asyncio.run(report(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS, sys.argv[2:])) else 0


if __name__ == "__main__":
    sys.exit(main())
