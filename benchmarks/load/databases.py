"""The databases that a benchmark fills: SQLite's file, or a PostgreSQL that is started for it and thrown away after it."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_CACHE_KIB = 400_000  # of SQLite while rows are made in bulk
_TRIGGER = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"


class Database(Protocol):
    """A database that takes plain SQL beside the portal."""

    def run(self, *statements: str, without_trigger: str = "") -> None:
        """Run each and commit it; a trigger of the security journal may be off meanwhile."""

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What it answers."""

    @property
    def pid(self) -> int | None:
        """Of its server; None where it has none."""


@dataclass(frozen=True)
class Sqlite:
    """The portal's own file."""

    file: Path
    pid: None = None

    def run(self, *statements: str, without_trigger: str = "") -> None:
        """Without waiting for the disk: what a power cut would lose is made again.

        Raises:
            sqlite3.Error: as it comes.
        """
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            for pragma in ("synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
                connection.execute(f"PRAGMA {pragma}")
            trigger = connection.execute(_TRIGGER, (without_trigger,)).fetchall()
            if trigger:
                connection.execute(f"DROP TRIGGER {without_trigger}")
            for statement in (*statements, *(made for (made,) in trigger)):
                connection.execute(statement)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Raises:
        sqlite3.Error: as it comes.
        """
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            return connection.execute(question).fetchall()


@dataclass(frozen=True)
class Postgresql:
    """A server of our own."""

    programs: Path
    folder: Path
    port: int

    def address(self, driver: str) -> str:
        """As SQLAlchemy writes it."""
        return f"postgresql+{driver}://medonline@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Of its first process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    @property
    def where(self) -> str:
        """As libpq writes it."""
        return f"host=127.0.0.1 port={self.port} user=medonline dbname=postgres options='-c timezone=UTC'"

    def run(self, *statements: str, without_trigger: str = "") -> None:
        """In UTC.

        Raises:
            SystemExit: the server refuses one, with its words.
        """
        switch = f"ALTER TABLE security_journal {{}} TRIGGER {without_trigger}"
        if without_trigger:
            statements = (switch.format("DISABLE"), *statements, switch.format("ENABLE"))
        # Rows made in bulk are analysed, as the server would by itself some minutes later; SQLite never does that by itself.
        for statement in (*statements, "ANALYZE"):
            where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "medonline", "-d", "postgres")
            _as_postgres(self.programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", *where, "-c", statement)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Raises:
        psycopg.Error: as it comes.
        """
        import psycopg

        with psycopg.connect(self.where, autocommit=True) as connection:
            return connection.execute(question.encode()).fetchall()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c timezone=UTC"
        log = self.folder / "log"
        _as_postgres(self.programs / "pg_ctl", "-D", self.folder / "data", "-l", log, "-o", options, "-w", "start")

    def stop(self) -> None:
        """As a machine that goes down: nothing is written out, connections are cut."""
        _as_postgres(self.programs / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A throw-away server with the defaults of its version, fsync included.

    Raises:
        SystemExit: PostgreSQL is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise SystemExit("No PostgreSQL in /usr/lib/postgresql/*/bin: install the package postgresql.")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="medonline-benchmark-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = Postgresql(programs, folder, free_port())
    data = folder / "data"
    try:
        _as_postgres(programs / "initdb", "-D", data, "-U", "medonline", "-A", "trust", "-E", "UTF8")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres(*words: str | Path) -> None:
    """PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*prefix, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{words[0]}: {done.stdout}{done.stderr}")
