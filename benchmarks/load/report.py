"""Reports the results of a benchmark: tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.load.crowd import Crowd
from benchmarks.load.measured import percentiles
from benchmarks.load.servers import CHECKOUT


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns of the needed width, with numbers aligned to the right and one digit for floats."""
    texts = [head, *([f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    for row in texts:
        first, *others = (
            cell.ljust(width) if not number else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *others)).rstrip(), flush=True)


def write(name: str, found: Mapping[str, Any], given: Path | None) -> Path:
    """Write JSON with the machine and the time (UTC) of the run. The default file is var/benchmarks/NAME.json."""
    file = given or CHECKOUT / "var" / "benchmarks" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    file.write_text(
        json.dumps({"benchmark": name, "at": at, "machine": machine, **found}, ensure_ascii=False, indent=1) + "\n"
    )
    return file


def numbers_of(crowd: Crowd) -> dict[str, Any]:
    """A crowd's numbers. Those of the whole run are divided by its journeys."""
    return {
        "concurrency": crowd.concurrency,
        "done": len(crowd.whole),
        "failed": len(crowd.failures),
        "failures": crowd.failures[:10],
        "journeys_per_s": round(crowd.per_second, 2),
        "journey_ms": percentiles(crowd.whole),
        "steps_ms": {name: percentiles(values) for name, values in crowd.steps.items()},
        "cpu_ms": round(crowd.cpu_ms, 1),
        "system_cpu_ms": round(crowd.system_cpu_s * 1e3 / crowd.done, 1),
        "database_cpu_ms": round(crowd.database_cpu_s * 1e3 / crowd.done, 1),
        "hash_ms": round(crowd.hash_ms, 2),
        "hashes": round(crowd.hashes, 2),
        "statements": round(crowd.statements / crowd.done, 1),
        "begins": round(crowd.begins / crowd.done, 1),
        "commits": round(crowd.commits / crowd.done, 1),
        "rss_before_mib": round(crowd.rss_before, 1),
        "rss_after_mib": round(crowd.rss_after, 1),
    }


def print_crowd(crowd: Crowd) -> None:
    """Print steps, failures and the database statements of a journey."""
    numbers = numbers_of(crowd)
    steps = {**numbers["steps_ms"], "journey": numbers["journey_ms"]}
    print_table(
        (f"{crowd.concurrency} at once, ms", "p50", "p95", "p99"),
        [(name, *values.values()) for name, values in steps.items()],
    )
    print(
        f"{numbers['done']} journeys done, {numbers['failed']} failed; each {numbers['statements']} statements, "
        f"{numbers['begins']} BEGIN, {numbers['commits']} commits; "
        f"{numbers['cpu_ms']} ms of CPU ({numbers['system_cpu_ms']} of the system's), "
        f"database server {numbers['database_cpu_ms']}; one hash {numbers['hash_ms']} ms"
    )
    for failure in numbers["failures"]:
        print("  failed:", failure)


def summary(crowd: Crowd, rss_idle: float) -> str:
    """The last line of the journey benchmark, which other tools read.

    rss_idle: MiB before the first patient.
    """
    numbers = numbers_of(crowd)
    return (
        f"medonline: {numbers['journeys_per_s']} journeys/s at {crowd.concurrency}, {numbers['cpu_ms']} CPU ms/journey, "
        f"{numbers['hashes']} hashes/journey, p50 {numbers['journey_ms']['p50']} ms, "
        f"RSS {rss_idle:.1f} -> {numbers['rss_after_mib']} MiB"
    )
