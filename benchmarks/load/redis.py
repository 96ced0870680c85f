"""A Redis for the portal's limits. It is started for one run and can be stopped, restarted and flushed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.databases import free_port

STARTS_WITHIN_S = 30.0
_PASSWORD = "a-password-of-redis"


@dataclass
class Redis:
    """Keeps nothing on the disk, so a stop also flushes it."""

    folder: Path
    port: int
    running: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The address in the form of the setting LIMITS_STORAGE."""
        return f"redis://:{_PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            SystemExit: it does not start.
        """
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--requirepass", _PASSWORD)
        command = ("redis-server", *options, "--dir", str(self.folder))
        self.running = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("redis-server did not start")

    def stop(self) -> None:
        """Stop it at once. A second call does nothing."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
        self.running = None

    def flush(self) -> None:
        """Delete all data.

        Raises:
            SystemExit: Redis refuses.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=STARTS_WITHIN_S) as connection:
            connection.sendall(f"AUTH {_PASSWORD}\r\nFLUSHALL\r\nQUIT\r\n".encode())
            answers = b""
            while part := connection.recv(1024):
                answers += part
        if answers != b"+OK\r\n" * 3:
            raise SystemExit(f"redis-server: {answers!r}")


@contextmanager
def redis() -> Iterator[Redis]:
    """A running Redis.

    Raises:
        SystemExit: Redis is not installed.
    """
    if shutil.which("redis-server") is None:
        raise SystemExit("There is no redis-server: install the package redis-server.")
    with tempfile.TemporaryDirectory(prefix="medonline-benchmark-redis-") as folder:
        server = Redis(Path(folder), free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()
