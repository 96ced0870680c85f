"""A busy hour: each patient acts every two seconds, no matter how fast the portal is. Finds the highest rate that the portal sustains.

    python -m benchmarks.busy [CHECKOUT] [--patients 25 50 100 200] [--seconds 30] [--limit-ms 50]

The times of all actions are fixed before the run, so a slow portal does not slow the patients down, and the time that an action waits for
its turn counts. An action is a step of the journey, except the wait for the code. A rate is sustained when no action fails, p95 of the
actions that hash no password is within the limit, and the work is done when the time is over.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.load.crowd import patient_of
from benchmarks.load.measured import hash_ms, percentiles
from benchmarks.load.options import parser_of, positive, servers_of
from benchmarks.load.pages import allow_sockets
from benchmarks.load.patient import HASHING, STEPS, Patient
from benchmarks.load.report import print_table, write
from benchmarks.load.servers import Servers

PACE_S = 2.0
ACTIONS = tuple(step for step in STEPS if step != "outbox")
LATE_S = PACE_S  # an action that begins after the next one is due shows that work piles up
SEED = 2026
REST_S = 5.0  # seconds between two rates


@dataclass
class Busy:
    """The result of one rate: milliseconds of each kind of action, counted from its due time, and the failures."""

    patients: int
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)
    late: int = 0
    cpu_s: float = 0.0
    seconds: float = 0.0

    @property
    def quick(self) -> dict[str, float]:
        """Percentiles of the actions that hash no password."""
        return percentiles([ms for name, values in self.times.items() if name not in HASHING for ms in values])

    def holds(self, limit_ms: float) -> bool:
        """Whether the portal sustains the rate."""
        return not self.failures and not self.late and self.quick["p95"] <= limit_ms


def accounts_for(patients: int, seconds: int) -> int:
    """How many accounts a run needs: each journey uses one up."""
    return patients * (int(seconds / PACE_S / len(ACTIONS)) + 1)


async def play(servers: Servers, first: int, patients: int, seconds: int) -> Busy:
    """Play one rate, with accounts from number `first` on."""
    dice, busy = random.Random(SEED), Busy(patients)
    begins = [dice.uniform(0, PACE_S) for _ in range(patients)]
    numbers = iter(range(first, first + accounts_for(patients, seconds)))
    before, began = servers.usage(), time.monotonic()
    await asyncio.gather(*(_one(servers, numbers, began + begin, began + seconds, busy) for begin in begins))
    busy.seconds, busy.cpu_s = time.monotonic() - began, servers.usage().cpu_s - before.cpu_s
    return busy


async def _one(servers: Servers, numbers: Iterator[int], due: float, end: float, busy: Busy) -> None:
    """Play one place in the crowd: one patient after another, with an action at each due time."""
    patient: Patient | None = None
    step = 0
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        busy.late += time.monotonic() - due > LATE_S
        if patient is None:
            if (number := next(numbers, None)) is None:
                return  # failed journeys have used up the accounts
            patient = patient_of(servers, number)
        name = ACTIONS[step]
        try:
            if name == "verify":
                await patient.outbox()
            since = max(due, time.monotonic()) if name == "verify" else due
            await getattr(patient, name)()
        except Exception as error:  # counted and reported; the next patient takes the place
            busy.failures.append(f"{name}: {type(error).__name__}: {error}")
            step = len(ACTIONS)
        else:
            busy.times[name].append((time.monotonic() - since) * 1e3)
            step += 1
        if step == len(ACTIONS):
            await patient.close()
            patient, step = None, 0
        due += PACE_S
    if patient is not None:
        await patient.close()


async def run(servers: Servers, rates: list[int], seconds: int, limit_ms: float) -> list[Busy]:
    """Play the rates until the portal does not sustain one."""
    found, first = list[Busy](), 0
    for patients in rates:
        busy = await play(servers, first, patients, seconds)
        found.append(busy)
        first += accounts_for(patients, seconds)
        if busy.failures or busy.late:
            break  # the portal is behind: a higher rate would only show how far
        await asyncio.sleep(REST_S)
    return found


def exit_code(found: list[Busy]) -> int:
    """1 when the portal did not sustain the lowest rate, which comes first, or when an action failed at a rate that it sustained."""
    return 1 if found[0].late or any(busy.failures and not busy.late for busy in found) else 0


def main() -> int:
    """Exit code: see `exit_code`."""
    parser = parser_of(__doc__)
    parser.add_argument("--patients", type=positive, nargs="+", default=[25, 50, 100, 200])
    parser.add_argument("--seconds", type=positive, default=30)
    parser.add_argument("--limit-ms", type=positive, default=50, help="of p95 of the actions that hash no password")
    arguments = parser.parse_args()
    rates = sorted(arguments.patients)
    with servers_of(
        arguments,
        patients=sum(accounts_for(patients, arguments.seconds) for patients in rates),
        settings={"SOCKETS_IN_ALL": allow_sockets(2 * rates[-1])},
    ) as started:
        unit = hash_ms()
        found = asyncio.run(run(started, rates, arguments.seconds, arguments.limit_ms))
    rows = [row_of(busy, unit, arguments.limit_ms) for busy in found]
    file = write("busy", {"limit_ms": arguments.limit_ms, "hash_ms": round(unit, 2), "rates": rows}, arguments.json)
    print_table(
        (
            "patients",
            "actions/s",
            "p50",
            "p95",
            "p99",
            "hashing p95",
            "CPU %",
            "failed",
            "late",
            "holds",
            "p95 to the first",
        ),
        [
            (
                row["patients"],
                row["actions_per_s"],
                *row["quick_ms"].values(),
                row["hashing_ms"]["p95"],
                row["cpu_percent"],
                row["failed"],
                row["late"],
                "yes" if row["holds"] else "no",
                f"{row['quick_ms']['p95'] / max(0.1, rows[0]['quick_ms']['p95']):.2f}",
            )
            for row in rows
        ],
    )
    for failure in (failure for row in rows for failure in row["failures"]):
        print("  failed:", failure)
    print(f"numbers: {file}")
    held = [busy.patients for busy in found if busy.holds(arguments.limit_ms)]
    text = f"{max(held)} patients, {max(held) / PACE_S:.0f} actions a second" if held else "none of these rates"
    print(f"holds within {arguments.limit_ms} ms: {text}")
    return exit_code(found)


def row_of(busy: Busy, unit: float, limit_ms: float) -> dict[str, Any]:
    """The numbers of one rate. `unit`: milliseconds of one hash."""
    hashing = [ms for name in HASHING for ms in busy.times.get(name, ())]
    return {
        "patients": busy.patients,
        "actions_per_s": round(sum(map(len, busy.times.values())) / busy.seconds, 1),
        "quick_ms": busy.quick,
        "quick_p95_hashes": round(busy.quick["p95"] / unit, 2),
        "hashing_ms": percentiles(hashing),
        "steps_ms": {name: percentiles(values) for name, values in busy.times.items()},
        "cpu_percent": round(busy.cpu_s * 100 / busy.seconds, 1),
        "failed": len(busy.failures),
        "failures": busy.failures[:5],
        "late": busy.late,
        "holds": busy.holds(limit_ms),
    }


if __name__ == "__main__":
    sys.exit(main())
