"""The portal with everything around it that may break, its patients, and the checks after each fault."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.invariants import World, journal_fault, violations
from benchmarks.faults.relay import Relay, relay
from benchmarks.faults.walk import Told, Walk, pauses
from benchmarks.load.patient import TLS, Patient
from benchmarks.load.redis import Redis, redis
from benchmarks.load.servers import CHECKOUT, Servers, servers

PATIENTS = 3_000
DISK_MIB = 24
# Roubles: enough for all patients of a run, so that the sums can be compared and no one is refused for money.
SETTINGS = {
    "PRICE_FLASH_CALL": "0.90",
    "DAILY_CAP_FLASH_CALL": "20000",
    "PRICE_TELEGRAM": "0.50",
    "DAILY_CAP_TELEGRAM": "20000",
    "PRICE_NOTICE": "2.50",
    "DAILY_CAP_NOTICE": "40000",
    "RESEND_PAUSES": "3 s",
}
CAPS = {"flash_call": 2_000_000, "telegram": 2_000_000, "notice": 4_000_000}
PROVIDERS = {
    "TELEGRAM_BASE_URL": "telegram",
    "UCALLER_BASE_URL": "ucaller",
    "SMS_RU_BASE_URL": "sms_ru",
    "CARD_REGISTRY_URL": "fhir",
}
CODES_IN_AN_HOUR, CODES_IN_A_DAY = 3, 5
ALL_DONE_WITHIN_S = 120.0
LOOKS_AT_INVARIANTS, LOOKS_EVERY_S = 6, 2.0
DAWDLES_S = 0.3
READY_EVERY_S = 0.2


@dataclass
class Outcome:
    """The result of one fault. Times are seconds after the fault's end. `back_s` is None when no journey succeeded afterwards."""

    name: str
    database: str
    times: int = 1
    patients: int = 0
    saw: Counter[str] = field(default_factory=Counter)
    ready: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    ready_s: float | None = None
    back_s: float | None = None
    violations: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def good(self) -> bool:
        """Nothing was lost or violated, and a fresh journey succeeded without help."""
        return bool(self.skipped) or not (self.lost or self.violations or self.back_s is None)


@dataclass
class Stage:
    """The servers, the relay in front of the stand-ins, and the patients so far. `problems`: reasons why the last fault proves nothing."""

    name: str
    servers: Servers
    relay: Relay
    redis: Redis | None
    world: World
    dice: random.Random
    told: list[Told] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _number: int = 0

    def walk(self, *, channel: str = "flash_call", may_expire: bool = False) -> Walk:
        """Create the next patient."""
        if self._number >= PATIENTS:
            raise SystemExit(f"more than {PATIENTS} patients came: make more accounts")
        walk = Walk.of(
            Patient(self.servers.portal_url, self.servers.stand_ins_url, self._number, channel), may_expire=may_expire
        )
        self._number += 1
        self.told.append(walk.told)
        return walk

    async def check(self) -> list[str]:
        """Check the invariants once all pending work has arrived. A violation that remains then is real."""
        found: list[str] = []
        for look in range(LOOKS_AT_INVARIANTS):
            if look:
                await asyncio.sleep(LOOKS_EVERY_S)
            found = await asyncio.to_thread(violations, self.world, self.told)
            if not found:
                break
        problems, self.problems = self.problems, []
        return [*found, *problems, *await asyncio.to_thread(journal_fault, self.servers)]

    def violations_now(self) -> list[str]:
        """Check the invariants on the present data, while no process runs."""
        return violations(self.world, self.told)

    async def ready(self) -> int:
        """The status of /health/ready. 0 when there is no answer."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=15, verify=TLS) as http:
                return (await http.get(f"{self.servers.portal_url}/health/ready")).status_code
        except httpx.HTTPError:
            return 0

    @asynccontextmanager
    async def watched(self, outcome: Outcome) -> AsyncIterator[None]:
        """Count the answers of /health/ready during the block."""

        async def watch() -> None:
            while True:
                outcome.ready[await self.ready()] += 1
                await asyncio.sleep(READY_EVERY_S)

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def came_back(self, outcome: Outcome, ended: float, **of_patient: Any) -> None:
        """Wait until the portal is ready and a new patient completes a journey, without help."""
        deadline = ended + ALL_DONE_WITHIN_S
        while await self.ready() != 200:
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(READY_EVERY_S)
        outcome.ready_s = time.monotonic() - ended
        fresh = self.walk(**of_patient)
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline - time.monotonic()):
                await fresh.go()
        except TimeoutError:
            outcome.lost.append(f"a fresh journey did not end within {ALL_DONE_WITHIN_S:.0f} s: {dict(fresh.saw)}")
            return
        outcome.back_s = time.monotonic() - ended

    async def all_done(self, outcome: Outcome, walks: list[Walk], tasks: list[asyncio.Task[None]]) -> None:
        """Wait until every patient has finished the journey that they began."""
        _, late = await asyncio.wait(tasks, timeout=ALL_DONE_WITHIN_S) if tasks else (set(), set())
        for task in late:
            task.cancel()
        failures = await asyncio.gather(*tasks, return_exceptions=True)
        outcome.patients += len(walks)
        for walk, failure in zip(walks, failures, strict=True):
            outcome.saw.update(walk.saw)
            outcome.lost.extend(walk.lost)
            if walk.done_at is None:
                why = "" if isinstance(failure, asyncio.CancelledError) else f" ({type(failure).__name__}: {failure})"
                outcome.lost.append(f"a journey did not end{why}: {dict(walk.saw)}")

    def begin(self, walks: list[Walk]) -> list[asyncio.Task[None]]:
        """Begin all walks at once. Each patient pauses between steps."""
        return [asyncio.create_task(walk.go(pauses(self.dice, DAWDLES_S))) for walk in walks]


@contextmanager
def stage(name: str, dice: random.Random, checkout: Path = CHECKOUT) -> Iterator[Stage]:
    """Start a stage.

    `name`: sqlite, postgresql, clock (SQLite), redis (SQLite and Redis) or disk (SQLite on a separate disk).

    Raises:
        SystemExit: a part of it cannot start.
    """
    with ExitStack() as stack:
        between = stack.enter_context(relay())
        chosen = SETTINGS | {setting: f"{between.url}/{path}" for setting, path in PROVIDERS.items()}
        counting = stack.enter_context(redis()) if name == "redis" else None
        if counting is not None:
            chosen["LIMITS_STORAGE"] = counting.address
        started = stack.enter_context(
            servers(
                checkout,
                database="postgresql" if name == "postgresql" else "sqlite",
                patients=PATIENTS,
                settings=chosen,
                prepare=partial(small_disk, mib=DISK_MIB) if name == "disk" else None,
            )
        )
        between.target = started.stand_ins_url
        world = World(
            started.database,
            started.folder / "stand-ins" / "sandbox.sqlite3",
            (started.portal.log,),
            CAPS,
            CODES_IN_A_DAY if name == "clock" else CODES_IN_AN_HOUR,
        )
        yield Stage(name, started, between, counting, world, dice)


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[None]:
    """Mount a disk in memory at this folder."""
    folder.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "medonline-faults", folder], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "--lazy", folder], check=True)


def why_no_disk(missing: Callable[[], int] = os.geteuid) -> str:
    """Why no disk can be mounted here; empty when one can."""
    if missing() != 0:
        return "a small disk (tmpfs) needs root: run `sudo make faults`, or this fault alone with --only"
    return ""
