"""The portal as a patient meets it: `medonline serve` in a separate process, which can be killed and restarted."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from medonline import frontend
from medonline.bootstrap import Portal, build_portal
from medonline.bootstrap.demo_accounts import seed_demo
from medonline.config.settings import load_config
from medonline.services.desk.accounts import NewAccount
from medonline.storage import migrations
from tests import warm
from tests.argon2 import argon2_of_the_product
from tests.patience import PATIENCE

MEDONLINE = Path(sys.executable).with_name("medonline")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def plain_http() -> httpx.Client:
    """An HTTP client for the tests' servers, which speak no TLS. It skips reading the authorities' certificates, which takes longer than
    most answers.

    Each request uses a new connection, so that a restarted server is never asked over an old one.
    """
    return httpx.Client(
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        timeout=PATIENCE,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


def ensure_pages() -> None:
    """Build the pages. If they match their sources, it starts no process."""
    if not frontend.is_fresh():
        built = subprocess.run(
            [str(MEDONLINE), "build"], env=environment(), capture_output=True, text=True, check=False
        )
        assert built.returncode == 0, built.stdout + built.stderr


@cache
def _first_start() -> Path:
    """The folder that a first start of the demo creates: keys, tables, demo patients. It is deleted when the process ends."""
    made = TemporaryDirectory(prefix="medonline-first-start-")
    atexit.register(made.cleanup)
    folder = Path(made.name) / "var"
    folder.mkdir()

    async def make() -> None:
        config = load_config(mode="demo", data_dir=folder, database_url="")
        await migrations.upgrade(config.database)
        portal = build_portal(config)
        try:
            await seed_demo(portal.accounts)
        finally:
            await portal.close()

    with argon2_of_the_product():
        _beside_playwright(make())
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)  # the same rights as the command gives them
    return folder


def _beside_playwright(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread, because Playwright's loop may be running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def environment(settings: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment, but with no other settings of the portal than `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDONLINE_")}
    return kept | {"MEDONLINE_MODE": "demo"} | {f"MEDONLINE_{name}": value for name, value in (settings or {}).items()}


@dataclass
class Server:
    """One data folder and one port for the server's whole life, no matter how often the process dies.

    options: of `medonline serve`.
    cheap: its passwords cost nothing (tests.argon2).
    """

    data_dir: Path
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    options: tuple[str, ...] = ()
    cheap: bool = False
    _process: warm.WarmProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start it without waiting. It may serve later."""
        if not self.data_dir.exists():
            shutil.copytree(_first_start(), self.data_dir)
        settings = {**self.settings, "DATA_DIR": str(self.data_dir), "PORT": str(self.port)}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = warm.start(["serve", *self.options], environment(settings), log.fileno(), self.cheap)

    def kill(self) -> None:
        """Send SIGKILL to every process of the server, so that nothing can finish."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._process = None

    def freeze(self) -> None:
        """Send SIGSTOP: its sockets stay open, but no one answers on them."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue after `freeze`."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def tell_to_end(self) -> None:
        """Tell the server to end without waiting, so that several servers can end at the same time. `stop` waits for it."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def assert_alive(self) -> None:
        """Name a server that ended by itself as the cause, instead of every page that could not be opened."""
        code = self._process.poll() if self._process else None
        assert code is None, f"the server ended by itself with code {code}; see {self.log}"

    def add_account(self, account: NewAccount) -> None:
        """Create an account in the server's database."""
        self.operate(lambda portal: portal.accounts.add(account))

    def operate(self, work: Callable[[Portal], Awaitable[object]]) -> None:
        """Do what an operator does, beside the running server."""

        async def operated() -> None:
            config = load_config(mode="demo", data_dir=self.data_dir, port=self.port, database_url="")
            portal = build_portal(config)
            try:
                await work(portal)
            finally:
                await portal.close()

        _beside_playwright(operated())

    def wait_until_ready(self) -> None:
        """Wait until the server itself reports that it is ready."""
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process is not None
            assert self._process.poll() is None, f"the server did not start; see {self.log}"
            try:
                if plain_http().get(f"{self.url}/health/ready", timeout=1).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, f"the server is not ready; see {self.log}"
            time.sleep(0.05)
