"""Many patients at once, and what they cost the portal. Each begins the next journey when the last one is done."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.load.measured import hash_ms
from benchmarks.load.patient import STEPS, Patient, journey
from benchmarks.load.servers import Servers


@dataclass
class Crowd:
    """The results of the journeys. Times in milliseconds, memory in MiB."""

    concurrency: int
    whole: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STEPS})
    failures: list[str] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    system_cpu_s: float = 0.0
    database_cpu_s: float = 0.0
    hash_ms: float = 0.0
    rss_before: float = 0.0
    rss_after: float = 0.0
    statements: int = 0
    begins: int = 0
    commits: int = 0

    @property
    def done(self) -> int:
        """Journeys that ended well. At least 1, so that it can be a divisor."""
        return max(1, len(self.whole))

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds of the portal per journey."""
        return self.cpu_s * 1e3 / self.done

    @property
    def hashes(self) -> float:
        """The same, in hashes of a password as measured in this run. A busy machine stretches both alike."""
        return self.cpu_ms / self.hash_ms

    @property
    def per_second(self) -> float:
        """Successful journeys per second."""
        return len(self.whole) / self.wall_s


def patient_of(servers: Servers, number: int) -> Patient:
    """The patient of an account that `servers` made."""
    return Patient(servers.portal_url, servers.stand_ins_url, number)


async def play(servers: Servers, numbers: Iterable[int], concurrency: int) -> Crowd:
    """Play the journeys of these patients, `concurrency` at once."""
    crowd, left = Crowd(concurrency), iter(numbers)
    units = [hash_ms()]
    before, counted, database = servers.usage(), servers.statements(), servers.database_cpu_s()

    def timed(step: str, ms: float) -> None:
        crowd.steps[step].append(ms)

    async def patients() -> None:
        for number in left:
            began = time.perf_counter()
            try:
                await journey(patient_of(servers, number), timed)
            except Exception as error:  # any error is counted and reported, and the next patient comes
                crowd.failures.append(f"{type(error).__name__}: {error}")
            else:
                crowd.whole.append((time.perf_counter() - began) * 1e3)

    began = time.perf_counter()
    await asyncio.gather(*(patients() for _ in range(concurrency)))
    crowd.wall_s = time.perf_counter() - began
    after, counted_after = servers.usage(), servers.statements()
    units.append(hash_ms())
    crowd.hash_ms = statistics.mean(units)
    crowd.cpu_s, crowd.system_cpu_s = after.cpu_s - before.cpu_s, after.system_s - before.system_s
    crowd.database_cpu_s = servers.database_cpu_s() - database
    crowd.rss_before, crowd.rss_after = before.rss_mib, after.rss_mib
    crowd.statements = counted_after.statements - counted.statements
    crowd.begins = counted_after.begins - counted.begins
    crowd.commits = counted_after.commits - counted.commits
    return crowd
