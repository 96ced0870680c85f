"""Counters, durations and levels of this process, and the text that Prometheus reads (prometheus_client).

A family is declared once, in `names.py`. Any code may use it, like a logger, without receiving it as an argument. Labels come from short
closed lists (a channel, a provider, an outcome). They never hold patient data, nor text that somebody else wrote.

Several workers behind one socket write their numbers to files in one folder (`share`). The worker that is asked adds them up. Danger:
prometheus_client decides at its import whether numbers go to files, so nothing here imports it before the first number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the variable that prometheus_client reads
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family:
    """A name, its description, and the names of its labels."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self.name = name
        self.text = text
        self.labels = tuple(labels)


class Count(Family):
    """How often something happened. Prometheus appends «_total» to the name."""

    def add(self, *values: str) -> None:
        """Count one occurrence. Call it from any thread, with one value for each label."""
        (self._made.labels(*values) if self.labels else self._made).inc()

    @cached_property
    def _made(self) -> Counter:
        from prometheus_client import Counter

        return Counter(self.name, self.text, self.labels, registry=_registry())


class Duration(Family):
    """How long something took, in seconds, as a histogram. `bounds` are the upper limits of its buckets."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), *, bounds: Sequence[float]) -> None:
        super().__init__(name, text, labels)
        self.bounds = tuple(bounds)

    def observe(self, seconds: float, *values: str) -> None:
        """Record one duration. Call it from any thread, with one value for each label."""
        (self._made.labels(*values) if self.labels else self._made).observe(seconds)

    @contextmanager
    def timed(self, *values: str) -> Iterator[None]:
        """Record how long the block takes, even if it raises."""
        began = perf_counter()
        try:
            yield
        finally:
            self.observe(perf_counter() - began, *values)

    @cached_property
    def _made(self) -> Histogram:
        from prometheus_client import Histogram

        return Histogram(self.name, self.text, self.labels, registry=_registry(), buckets=self.bounds)


class Level(Family):
    """How many there are now, summed over all workers of this machine."""

    def change(self, by: int) -> None:
        """Add this many, or subtract them if negative. Call it from any thread."""
        self._made.inc(by)

    @cached_property
    def _made(self) -> Gauge:
        from prometheus_client import Gauge

        return Gauge(self.name, self.text, registry=_registry(), multiprocess_mode="livesum")


class Reading(Family):
    """A number that is read from the database whenever Prometheus asks, so it is the same in each process."""


Readings = Mapping[Reading, Mapping[tuple[str, ...], float]]


def share(folder: Path) -> None:
    """Make the processes that are forked from now on write their numbers to files in this empty folder. Call it before the first number
    of this process."""
    os.environ[_FOLDER] = str(folder)


def forget_process(pid: int) -> None:
    """A worker has ended: drop its levels. Its counts stay."""
    folder = os.environ.get(_FOLDER)
    for file in Path(folder).glob(f"gauge_live*_{pid}.db") if folder else ():
        file.unlink(missing_ok=True)


def exposition(readings: Readings) -> bytes:
    """All numbers in the format that Prometheus reads (text format 0.0.4)."""
    from prometheus_client import generate_latest

    return generate_latest(_of_this_machine()) + generate_latest(_read_now(readings))


def _of_this_machine() -> CollectorRegistry:
    if _FOLDER not in os.environ:
        return _registry()
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _read_now(readings: Readings) -> CollectorRegistry:
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()
    for family, values in readings.items():
        gauge = Gauge(family.name, family.text, family.labels, registry=registry)
        for labels, value in values.items():
            (gauge.labels(*labels) if labels else gauge).set(value)
    return registry


@cache
def _registry() -> CollectorRegistry:
    from prometheus_client import CollectorRegistry

    return CollectorRegistry()
