"""The watch over database and clock: each trouble has its own alarm, before a patient meets it."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from medonline.bootstrap import Portal
from medonline.services.desk import database_watch
from medonline.services.desk.database_watch import DatabaseWatch
from medonline.services.limits.alarms import QUIET
from medonline.storage import engine
from medonline.storage.engine import Database, is_disk_full
from tests.services.world import ANNA, CALL, KNOWN, MovableClock, copy_database, opened


@dataclass
class Ticks:
    """Seconds since some moment; they go with the clock, unless it is set."""

    clock: MovableClock
    set_by: float = 0.0

    def __call__(self) -> float:
        return self.clock.now.timestamp() - self.set_by


@pytest.fixture
def ticks(clock: MovableClock) -> Ticks:
    return Ticks(clock)


@pytest.fixture
def watch(portal: Portal, clock: MovableClock, ticks: Ticks) -> DatabaseWatch:
    return DatabaseWatch(portal.database, clock, portal.alarms, ticks)


def heard(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The alarms since the last look."""
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("ALARM ")]
    caplog.clear()
    return lines


def full(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if statement.startswith("UPDATE alembic_version"):
        cause = sqlite3.OperationalError("database or disk is full")
        cause.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise OperationalError(statement, {}, cause)


async def test_while_all_is_well_nothing_is_said(
    watch: DatabaseWatch, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await watch.look()
        clock.move(seconds=10)
    assert heard(caplog) == []


@pytest.mark.sqlite
async def test_a_full_disk_is_found_by_a_trial_before_a_patient_is_refused(
    portal: Portal, watch: DatabaseWatch, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    engine.event.listen(portal.database.engine, "before_cursor_execute", full)
    portal.database._written_at -= engine.TRIAL_EVERY_S  # no one has written for a while
    await watch.look()
    assert not await portal.database.takes_writes()
    assert portal.database.write_fault == "disk full"
    assert heard(caplog) == ["ALARM disk-full: the database's disk is full: nothing that patients do can be kept"]

    engine.event.remove(portal.database.engine, "before_cursor_execute", full)
    assert await portal.database.takes_writes()
    clock.now += QUIET
    await watch.look()
    assert "disk-full" not in " ".join(heard(caplog))


async def test_no_trial_is_written_while_patients_write(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    commits = portal.database.commits
    for _ in range(3):
        assert await portal.database.takes_writes()
    assert portal.database.commits == commits


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("A FULL DISK IS NOT TESTED: it needs root and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path: Path) -> None:
    """Write until the disk takes no more."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(file, b"x" * 4096):
            pass
    except OSError as error:
        assert error.errno == errno.ENOSPC
    finally:
        os.close(file)


async def test_on_a_disk_that_is_really_full_the_portal_is_not_ready_and_goes_on_when_there_is_room(
    small_disk: Path, template: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    copy_database(template, small_disk)
    async with opened(small_disk, clock) as portal:
        watch = DatabaseWatch(portal.database, clock, portal.alarms)
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        rest = small_disk / "rest"
        fill(rest)
        portal.database._written_at -= engine.TRIAL_EVERY_S
        await watch.look()
        assert [line.partition(": ")[0] for line in heard(caplog)] == ["ALARM disk-full"]
        rest.unlink()
        assert await portal.database.takes_writes()


async def test_a_database_that_is_gone_is_named(
    watch: DatabaseWatch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: Any) -> None:
        raise OperationalError("SELECT", {}, ConnectionError("secret-host refused"))

    monkeypatch.setattr(Database, "read", refuse)
    await watch.look()
    assert heard(caplog) == ["ALARM database-gone: the database does not answer (OperationalError)"]


async def test_a_slow_database_is_named(
    portal: Portal,
    watch: DatabaseWatch,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def ask(session: Any) -> timedelta:
        clock.move(seconds=2.5)
        return timedelta()

    monkeypatch.setattr(database_watch, "clock_ahead", ask)
    await watch.look()
    assert heard(caplog) == ["ALARM database-slow: a question and a trial took 2.5 s"]


@pytest.mark.parametrize(
    ("by", "said"),
    [(3600.0, "this machine's clock was set forward by 3600 s"), (-60.0, "this machine's clock was set back by 60 s")],
)
async def test_a_clock_that_is_set_is_named(
    watch: DatabaseWatch,
    clock: MovableClock,
    ticks: Ticks,
    caplog: pytest.LogCaptureFixture,
    by: float,
    said: str,
) -> None:
    await watch.look()
    clock.move(seconds=10 + by)
    ticks.set_by = by
    await watch.look()
    assert heard(caplog) == [f"ALARM clock-jump: {said}"]


async def test_another_time_at_the_database_is_named(
    watch: DatabaseWatch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_watch, "clock_ahead", lambda _session: timedelta(seconds=-95))
    await watch.look()
    assert heard(caplog) == ["ALARM clock-jump: the database's clock is 95 s behind this machine's"]


def test_each_database_says_in_its_own_way_that_the_disk_is_full() -> None:
    assert is_disk_full(OperationalError("INSERT", {}, psycopg.errors.DiskFull()))
    assert not is_disk_full(OperationalError("INSERT", {}, psycopg.errors.TooManyConnections()))
    assert not is_disk_full(OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked")))
