"""The faults. Each is a way to break something for a while."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, LiteralString

from benchmarks.faults.relay import Fault as Misbehaviour
from benchmarks.faults.stage import Outcome, Stage
from benchmarks.faults.walk import Walk
from benchmarks.load.databases import Postgresql, Sqlite

LOCKED_S, STOPPED_S, FULL_S, REDIS_AWAY_S = 10.0, 30.0, 10.0, 10.0
# Longer than the portal keeps trying an idempotent provider: three times five seconds.
PROVIDER_S = 18.0
# A ready portal is left alone until its patients have done up to this many more steps, and then for a part of a step. So it is killed at
# every point of a journey, however slow the machine is.
STEPS_AT_MOST, PART_OF_A_STEP_S, STEPS_WITHIN_S = 8, 0.3, 60.0
AT_ONCE = 4
CHECK_EVERY = 5
SIGTERMS = 10
HOUR_S = 3600
ARRIVE_EVERY_S = 2.0
_BUSY_S = 30.0

Trouble = Callable[[Stage], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """name: for --only. stage: see `stage.stage`. play: breaks something while patients come; its outcome has no check yet."""

    name: str
    stage: str
    play: Callable[[Stage, Outcome], Awaitable[None]]


# --- something breaks for a while ---------------------------------------------------------------------------------


async def patients_meanwhile(
    trouble: Trouble,
    seconds: float,
    stage: Stage,
    outcome: Outcome,
    *,
    channel: str = "flash_call",
    expire: bool = False,
) -> None:
    """Some patients are on their way when the trouble begins, others come while it lasts, and one comes after it."""
    walks = [stage.walk(channel=channel, may_expire=expire) for _ in range(AT_ONCE)]
    tasks = stage.begin(walks)
    await asyncio.sleep(stage.dice.uniform(0.3, 1.5))
    async with trouble(stage), stage.watched(outcome):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            arrived = stage.walk(channel=channel, may_expire=expire)
            walks.append(arrived)
            tasks.extend(stage.begin([arrived]))
            await asyncio.sleep(ARRIVE_EVERY_S)
    ended = time.monotonic()
    await stage.came_back(outcome, ended, channel=channel, may_expire=expire)
    await stage.all_done(outcome, walks, tasks)


@asynccontextmanager
async def locked(stage: Stage) -> AsyncIterator[None]:
    """Another process holds the write lock, like a backup or a forgotten shell."""
    database = stage.servers.database
    if isinstance(database, Sqlite):
        connection = sqlite3.connect(database.file, isolation_level=None, timeout=_BUSY_S, check_same_thread=False)
        with closing(connection):
            await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    import psycopg

    with psycopg.connect(_postgresql(stage).where) as held:
        held.execute("LOCK TABLE one_time_code, patient, account_session, password_recovery IN ACCESS EXCLUSIVE MODE")
        yield
        held.rollback()


@asynccontextmanager
async def read_only(stage: Stage) -> AsyncIterator[None]:
    """PostgreSQL accepts no writes any more, as after a failover to a standby. Connections are cut."""
    _reconfigure(stage, "ALTER SYSTEM SET default_transaction_read_only = on")
    yield
    _reconfigure(stage, "ALTER SYSTEM RESET default_transaction_read_only")


def _reconfigure(stage: Stage, change: LiteralString) -> None:
    import psycopg

    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    with psycopg.connect(_postgresql(stage).where, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(change)
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)  # the reload is a signal: an immediate connection may still get the old setting
        connection.execute(cut)


@asynccontextmanager
async def stopped(stage: Stage) -> AsyncIterator[None]:
    """PostgreSQL is stopped."""
    await asyncio.to_thread(_postgresql(stage).stop)
    yield
    await asyncio.to_thread(_postgresql(stage).start)


def _postgresql(stage: Stage) -> Postgresql:
    database = stage.servers.database
    if not isinstance(database, Postgresql):
        raise TypeError("this fault is of PostgreSQL")
    return database


@asynccontextmanager
async def full(stage: Stage) -> AsyncIterator[None]:
    """Another program has filled the disk to the last byte."""
    filler = Path(stage.servers.folder) / "portal" / "filler"
    await asyncio.to_thread(_fill, filler)
    filling = asyncio.create_task(_keep_filling(filler))
    try:
        yield
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        filler.unlink()


def _fill(file: Path) -> None:
    with file.open("ab", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while filler.write(b"\0" * size):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


async def _keep_filling(file: Path) -> None:
    while True:
        await asyncio.sleep(0.2)
        await asyncio.to_thread(_fill, file)


@asynccontextmanager
async def redis_stopped(stage: Stage) -> AsyncIterator[None]:
    """Redis is stopped. It comes back empty."""
    assert stage.redis is not None
    await asyncio.to_thread(stage.redis.stop)
    yield
    await asyncio.to_thread(stage.redis.start)


@asynccontextmanager
async def redis_flushed(stage: Stage) -> AsyncIterator[None]:
    """Redis loses its data again and again."""
    assert stage.redis is not None
    stage.redis.flush()
    yield
    stage.redis.flush()


@contextmanager
def _doubled(stage: Stage, provider: str, fault: Misbehaviour) -> Iterator[None]:
    """Allow for requests that the network itself repeats: they are no second call by the portal, unless the provider knows the first one
    by its key."""
    kinds = {"telegram": {"telegram"}, "sms_ru": {"sms"}}.get(provider, set())
    stage.world.doubled.update(kinds if fault is Misbehaviour.TWICE else ())
    yield


def misbehaving(provider: str, fault: Misbehaviour) -> Trouble:
    """The provider misbehaves like this for everybody."""

    @asynccontextmanager
    async def trouble(stage: Stage) -> AsyncIterator[None]:
        with _doubled(stage, provider, fault), stage.relay.misbehaving(provider, fault):
            yield
        if not stage.relay.asked[provider, fault]:
            stage.problems.append(f"{provider} was not asked while it was to misbehave ({fault}): nothing is shown")

    return trouble


def clock_off(seconds: int) -> Trouble:
    """Restart the portal with a clock that is wrong by this many seconds, and again with a right one."""

    @asynccontextmanager
    async def trouble(stage: Stage) -> AsyncIterator[None]:
        portal = stage.servers.portal
        right = portal.environment
        await asyncio.to_thread(portal.stop)
        portal.environment = {**right, "CLOCK_AHEAD_S": str(seconds)}
        await asyncio.to_thread(portal.start)
        yield
        await asyncio.to_thread(portal.stop)
        portal.environment = right
        await asyncio.to_thread(portal.start)

    return trouble


# --- the process ends ---------------------------------------------------------------------------------------------


async def ended(end: Callable[[Stage, Outcome], None], times: int, stage: Stage, outcome: Outcome) -> None:
    """Patients keep coming while the portal is ended at random points and started again."""
    outcome.times = times
    walks: list[Walk] = []
    over = False

    async def patients() -> None:
        while not over:
            walk = stage.walk()
            walks.append(walk)
            tasks.extend(stage.begin([walk]))
            await asyncio.wait([tasks[-1]])

    tasks: list[asyncio.Task[None]] = []
    coming = [asyncio.create_task(patients()) for _ in range(AT_ONCE)]
    backs: list[float] = []
    for number in range(1, times + 1):
        await _some_steps(stage, walks)
        await asyncio.to_thread(end, stage, outcome)
        began = time.monotonic()
        if number % CHECK_EVERY == 0:
            print(
                f"  {outcome.name}: {number} of {times}, {len(walks)} patients, {sum(walk.steps for walk in walks)} steps",
                file=sys.stderr,
                flush=True,
            )
            # No process runs, so the data is what the kill left. The journal's chain is checked at the end.
            outcome.violations.extend(await asyncio.to_thread(stage.violations_now))
            began = time.monotonic()
        await asyncio.to_thread(stage.servers.portal.start)
        backs.append(time.monotonic() - began)
    over = True
    last = time.monotonic()
    await stage.came_back(outcome, last)
    outcome.ready_s = statistics.median(backs)
    await asyncio.wait(coming, timeout=_BUSY_S * 4)
    await stage.all_done(outcome, walks, tasks)


async def _some_steps(stage: Stage, walks: list[Walk]) -> None:
    wanted = sum(walk.steps for walk in walks) + stage.dice.randint(0, STEPS_AT_MOST)
    deadline = time.monotonic() + STEPS_WITHIN_S
    while sum(walk.steps for walk in walks) < wanted and time.monotonic() < deadline:  # noqa: ASYNC110 (of many walks)
        await asyncio.sleep(0.01)
    await asyncio.sleep(stage.dice.uniform(0, PART_OF_A_STEP_S))


def kill(stage: Stage, _outcome: Outcome) -> None:
    """SIGKILL."""
    stage.servers.portal.kill()


def terminate(stage: Stage, outcome: Outcome) -> None:
    """SIGTERM: the process must end by itself, with exit code 0."""
    code = stage.servers.portal.end()
    if code != 0:
        outcome.violations.append(f"the portal ended with {code} after SIGTERM")


# --- all of them --------------------------------------------------------------------------------------------------


def faults(kills: int, seconds: float | None = None) -> list[Fault]:
    """All faults, in the order in which they are played. Each stage is started once. `seconds`: replaces each trouble's own duration."""

    def lasting(trouble: Trouble, usual: float, **of_patients: Any) -> Callable[[Stage, Outcome], Awaitable[None]]:
        return partial(patients_meanwhile, trouble, usual if seconds is None else seconds, **of_patients)

    found = []
    for database in ("sqlite", "postgresql"):
        found += [
            Fault(f"kill-{database}", database, partial(ended, kill, kills)),
            Fault(f"sigterm-{database}", database, partial(ended, terminate, min(kills, SIGTERMS))),
            Fault(f"locked-{database}", database, lasting(locked, LOCKED_S)),
        ]
        if database == "postgresql":
            found += [
                Fault("read-only-postgresql", database, lasting(read_only, LOCKED_S)),
                Fault("stopped-postgresql", database, lasting(stopped, STOPPED_S)),
            ]
        else:
            found += [
                Fault(
                    f"{name}-{fault}",
                    database,
                    lasting(misbehaving(path, fault), PROVIDER_S, channel=channel),
                )
                for name, path, channel in _WAYS
                for fault in Misbehaviour
                if fault is not Misbehaviour.NONE
            ]
    return [
        *found,
        Fault("redis-stopped", "redis", lasting(redis_stopped, REDIS_AWAY_S)),
        Fault("redis-flushed", "redis", lasting(redis_flushed, PROVIDER_S)),
        Fault("disk-full", "disk", lasting(full, FULL_S)),
        Fault("clock-ahead", "clock", lasting(clock_off(HOUR_S), PROVIDER_S, expire=True)),
        Fault("clock-behind", "clock", lasting(clock_off(-HOUR_S), PROVIDER_S, expire=True)),
    ]


_WAYS = (
    ("call", "ucaller", "flash_call"),
    ("telegram", "telegram", "telegram"),
    ("notices", "sms_ru", "flash_call"),
)
