"""The databases that a benchmark fills: SQLite's file, or a temporary PostgreSQL server."""

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

_CACHE_KIB = 400_000  # KiB of SQLite's cache while rows are made in bulk
_TRIGGER = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"


class Database(Protocol):
    """A database that takes plain SQL while the portal uses it too."""

    def run(self, *statements: str, without_trigger: str = "") -> None:
        """Run each statement and commit it. One trigger of the security journal may be off meanwhile."""

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """The rows that a query returns."""

    @property
    def pid(self) -> int | None:
        """The process id of its server. None if it has none."""


@dataclass(frozen=True)
class Sqlite:
    """The portal's own file."""

    file: Path
    pid: None = None

    def run(self, *statements: str, without_trigger: str = "") -> None:
        """Run the statements without waiting for the disk: rows lost in a power cut can be made again.

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
    """A temporary PostgreSQL server."""

    programs: Path
    folder: Path
    port: int

    def address(self, driver: str) -> str:
        """The address in SQLAlchemy's form."""
        return f"postgresql+{driver}://medonline@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The id of the server's first process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    @property
    def where(self) -> str:
        """The address in libpq's form."""
        return f"host=127.0.0.1 port={self.port} user=medonline dbname=postgres options='-c timezone=UTC'"

    def run(self, *statements: str, without_trigger: str = "") -> None:
        """Run the statements with UTC as the time zone.

        Raises:
            SystemExit: the server refuses one. The text is the server's.
        """
        switch = f"ALTER TABLE security_journal {{}} TRIGGER {without_trigger}"
        if without_trigger:
            statements = (switch.format("DISABLE"), *statements, switch.format("ENABLE"))
        # The server would analyse bulk rows by itself some minutes later, so this does it now. SQLite never does it by itself.
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
        """Stop it like a machine that loses power: nothing is written out, connections are cut."""
        _as_postgres(self.programs / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A temporary server with the defaults of its version, including fsync.

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
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres(*words: str | Path) -> None:
    """Run a program as the user postgres when this process is root, because PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*prefix, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{words[0]}: {done.stdout}{done.stderr}")
