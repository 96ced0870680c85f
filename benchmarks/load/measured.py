"""Measurements: processor time and memory of a process and its children, the cost of one hash, percentiles."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl import pwhash

# The parameters of the portal (services/passwords/hashing.py): 19 456 KiB, two passes, one lane.
ARGON2_MEMORY, ARGON2_PASSES = 19_456 * 1024, 2
_TICK = os.sysconf("SC_CLK_TCK")
_HASHES = 20


@dataclass(frozen=True)
class Usage:
    """A process and all its children: processor seconds since they began, and resident memory in MiB."""

    user_s: float
    system_s: float
    rss_mib: float

    @property
    def cpu_s(self) -> float:
        """Both kinds of processor time."""
        return self.user_s + self.system_s


def usage_of(pid: int) -> Usage:
    """The present usage. The time of a child that has ended counts for its parent."""
    user = system = rss = 0.0
    for process in _tree(pid):
        try:
            stat = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except OSError:
            continue
        user += (int(stat[11]) + int(stat[13])) / _TICK
        system += (int(stat[12]) + int(stat[14])) / _TICK
        rss += pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return Usage(user, system, rss)


def _tree(pid: int) -> list[int]:
    found, to_ask = [], [pid]
    while to_ask:
        one = to_ask.pop()
        found.append(one)
        try:
            children = [file.read_text().split() for file in Path(f"/proc/{one}/task").glob("*/children")]
        except OSError:
            continue
        to_ask += [int(child) for some in children for child in some]
    return found


def hash_ms() -> float:
    """Processor milliseconds of one hash on this machine, measured now with the portal's library and parameters."""
    began = time.process_time()
    for _ in range(_HASHES):
        pwhash.argon2id.str(b"Korabl-47", opslimit=ARGON2_PASSES, memlimit=ARGON2_MEMORY)
    return (time.process_time() - began) * 1e3 / _HASHES


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed. 0 if there are no values."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99."""
    return {f"p{share}": percentile(values, share / 100) for share in (50, 95, 99)}
