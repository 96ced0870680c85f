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
from typing import Protocol


class Database(Protocol):
    """A database that takes plain SQL beside the portal."""

    def run(self, *statements: str) -> None:
        """Run each and commit it."""

    @property
    def pid(self) -> int | None:
        """Of its server; None where it has none."""


@dataclass(frozen=True)
class Sqlite:
    """The portal's own file."""

    file: Path
    pid: None = None

    def run(self, *statements: str) -> None:
        """Without waiting for the disk: what a power cut would lose is made again.

        Raises:
            sqlite3.Error: as it comes.
        """
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            for statement in statements:
                connection.execute(statement)


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

    def run(self, *statements: str) -> None:
        """In UTC.

        Raises:
            SystemExit: the server refuses one, with its words.
        """
        for statement in statements:
            where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "medonline", "-d", "postgres")
            _as_postgres(self.programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", *where, "-c", statement)


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
        options = f"-p {server.port} -k {folder} -c listen_addresses=127.0.0.1 -c timezone=UTC"
        _as_postgres(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield server
        finally:
            _as_postgres(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
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
