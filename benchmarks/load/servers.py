"""The servers of one benchmark, each a separate process on loopback: stand-ins, portal, database and store of the limits."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.load.accounts import accounts
from benchmarks.load.databases import Database, Sqlite, free_port, postgresql
from benchmarks.load.measured import Usage, usage_of
from benchmarks.load.redis import redis

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
STARTS_WITHIN_S, ENDS_WITHIN_S = 180.0, 30.0
# All patients come from one address here and use few blocks of numbers, so the limits that a single address would hit are raised.
RAISED = {
    "CODES_PER_BLOCK": "1000000 per 1 h",
    "UNCONFIRMED_CODES_PER_BLOCK": "1000000 per 1 h",
    "RAISED_UNCONFIRMED_CODES_PER_NETWORK": "1000000 per 1 h",
    "RAISED_GUESSES_WITHOUT_MORE_PER_NETWORK": "1000000 per 1 h",
    "RAISED_WRONG_CODES_PER_NETWORK": "1000000 per 1 h",
    "RAISED_WRONG_PASSWORDS_PER_NETWORK": "1000000 per 1 min",
    "WRONG_PASSWORDS_IN_ALL": "1000000 per 5 min",
    "SOCKETS_PER_IP": "100000",
}
STAND_INS = {
    "TELEGRAM_BASE_URL": "telegram",
    "UCALLER_BASE_URL": "ucaller",
    "SMS_RU_BASE_URL": "sms_ru",
    "CARD_REGISTRY_URL": "fhir",
}

# One client for all checks: making one takes longer than a check, and a starting server needs the processor.
_HTTP = httpx.Client(trust_env=False, timeout=2)


@dataclass(frozen=True)
class Statements:
    """How many statements the database has received so far."""

    statements: int
    begins: int
    commits: int


@dataclass
class Process:
    """One server, which can be stopped and started again on its port."""

    words: list[str]
    environment: Mapping[str, str]
    checkout: Path
    log: Path
    ready: str
    running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of its first process."""
        if self.running is None:
            raise SystemExit(f"{self.words[1]} does not run: see {self.log}")
        return self.running.pid

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            SystemExit: it does not answer. The text has the end of its log.
        """
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.words,
                env=dict(self.environment),
                cwd=self.checkout,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not _answers(self.ready):
            if self.running.poll() is not None or time.monotonic() > deadline:
                self.stop()
                end = self.log.read_text(errors="replace")[-2000:]
                raise SystemExit(f"{' '.join(self.words[1:])} did not start:\n{end}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Send SIGKILL to it and its children, so that nothing can finish."""
        if self.running is not None:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
        self.running = None

    def end(self) -> int:
        """Ask it to end and wait. Returns its exit code, negative when it had to be forced."""
        if self.running is None:
            raise SystemExit(f"{self.words[1]} does not run: see {self.log}")
        running = self.running
        self.stop()
        return running.returncode

    def stop(self) -> None:
        """End it and its children, by force if they do not react. A second call does nothing."""
        if self.running is None:
            return
        if self.running.poll() is None:
            self.running.terminate()
            try:
                self.running.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.running.pid, signal.SIGKILL)
                self.running.wait()
        self.running = None


@dataclass
class Servers:
    """The servers of a benchmark.

    counted_in: where the portal's processes count their statements.
    folder: data and logs: `portal`, `stand-ins`, `portal.log`, `stand-ins.log`.
    """

    portal: Process
    portal_url: str
    stand_ins_url: str
    database: Database
    counted_in: Path
    folder: Path
    with_texts: bool = False
    _skipped: dict[Path, int] = field(default_factory=dict)

    def usage(self) -> Usage:
        """The usage of the portal alone."""
        return usage_of(self.portal.pid)

    def database_cpu_s(self) -> float:
        """Processor seconds of the database's server. 0 if the portal's own process is the database."""
        return 0.0 if self.database.pid is None else usage_of(self.database.pid).cpu_s

    def statements(self) -> Statements:
        """The statements so far, of all processes of the portal."""
        counts = [struct.unpack("3Q", file.read_bytes()) for file in self.counted_in.glob("*.counts")]
        return Statements(*(sum(column) for column in zip(*counts, strict=True)))

    def keep_log(self, name: str) -> Path:
        """Copy the portal's log to var/benchmarks/NAME.log, which stays when the folder is deleted."""
        kept = CHECKOUT / "var" / "benchmarks" / f"{name}.log"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.folder / "portal.log", kept)
        return kept

    def new_texts(self) -> Counter[str]:
        """The statements since the last call, including COMMIT. Empty unless texts are kept."""
        found = Counter[str]()
        for file in self.counted_in.glob("*.texts"):
            with file.open("rb") as texts:
                texts.seek(self._skipped.get(file, 0))
                lines = texts.read()
            self._skipped[file] = self._skipped.get(file, 0) + len(lines)
            found.update(lines.decode().splitlines())
        return found


@contextmanager
def servers(
    checkout: Path = CHECKOUT,
    *,
    database: str = "sqlite",
    processes: int = 1,
    patients: int = 0,
    with_texts: bool = False,
    settings: Mapping[str, str] | None = None,
    fill: Callable[[Database], None] | None = None,
    prepare: Callable[[Path], AbstractContextManager[None]] | None = None,
) -> Iterator[Servers]:
    """Start stand-ins and a portal in a fresh folder, with `patients` accounts and the rows that `fill` adds. Everything ends with the
    block.

    `prepare` may put something under the portal's data folder before it is used, for example a separate disk.

    checkout: has its own .venv. Its pages are built if necessary.
    database: `sqlite` or `postgresql`.

    Raises:
        SystemExit: one of them cannot start, with a sentence.
    """
    command = checkout / ".venv" / "bin" / "medonline"
    if not command.exists():
        raise SystemExit(f"{checkout} has no .venv: run `make run` there once.")
    options = _workers(command, database, processes)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_kept_on_failure()))
        portal_port, stand_ins_port = free_port(), free_port()
        stand_ins_url = f"http://127.0.0.1:{stand_ins_port}"
        chosen = RAISED | {name: f"{stand_ins_url}/{path}" for name, path in STAND_INS.items()} | dict(settings or {})
        filled: Database = Sqlite(folder / "portal" / "medonline.sqlite3")
        if database == "postgresql":
            filled = stack.enter_context(postgresql())
            chosen["DATABASE_URL"] = filled.address(_driver_of(checkout))
        if processes > 1:
            chosen["LIMITS_STORAGE"] = stack.enter_context(redis()).address
        counted_in = folder / "counted"
        counted_in.mkdir()
        counting = {"PYTHONPATH": str(HERE / "counting"), "COUNT_STATEMENTS_IN": str(counted_in)}
        if with_texts:
            counting["COUNT_STATEMENT_TEXTS"] = "1"

        if prepare is not None:
            stack.enter_context(prepare(folder / "portal"))
        of_portal = environment_of(folder / "portal", portal_port, chosen)
        for word in ("build", "migrate"):
            done = subprocess.run(
                [command, word], env=of_portal, cwd=checkout, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"`medonline {word}` in {checkout}:\n{done.stdout}{done.stderr}")
        if patients:
            filled.run(accounts(0, patients))
        if fill is not None:
            fill(filled)
        stand_ins = Process(
            [str(command), "sandbox"],
            environment_of(folder / "stand-ins", stand_ins_port, chosen),
            checkout,
            folder / "stand-ins.log",
            f"{stand_ins_url}/phone/79100001001/events",
        )
        portal_url = f"http://127.0.0.1:{portal_port}"
        portal = Process(
            [str(command), "serve", *options],
            of_portal | counting,
            checkout,
            folder / "portal.log",
            f"{portal_url}/health/ready",
        )
        for one in (stand_ins, portal):
            stack.callback(one.stop)
            one.start()
        yield Servers(portal, portal_url, stand_ins_url, filled, counted_in, folder, with_texts)


def environment_of(data: Path, port: int, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a demo. It creates the data folder. All demos share one key, so that stand-ins and portals trust each other."""
    data.mkdir(mode=0o700, exist_ok=True)
    key = data / "demo.key"
    key.write_text("3f9a1c7e5b2d8064" * 4)
    key.chmod(0o600)
    own = {**settings, "MODE": "demo", "DATA_DIR": str(data), "PORT": str(port)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDONLINE_")}
    return kept | {f"MEDONLINE_{name}": value for name, value in own.items()}


@contextmanager
def _kept_on_failure() -> Iterator[str]:
    """A fresh folder. If the benchmark fails, it stays with its logs, and a message says where it is."""
    folder = tempfile.mkdtemp(prefix="medonline-benchmark-")
    try:
        yield folder
    except (KeyboardInterrupt, GeneratorExit):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except BaseException:
        print(f"Logs and data are kept in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _driver_of(checkout: Path) -> str:
    """The PostgreSQL driver that the checkout requires."""
    return (
        "psycopg" if re.search(r'^ *"psycopg\b', (checkout / "pyproject.toml").read_text(), re.MULTILINE) else "asyncpg"
    )


def _workers(command: Path, database: str, processes: int) -> list[str]:
    if processes == 1:
        return []
    if database == "sqlite":
        raise SystemExit("Several processes need --database postgresql: SQLite takes one.")
    helped = subprocess.run([command, "serve", "--help"], capture_output=True, text=True, check=False).stdout
    if "--workers" not in helped:
        raise SystemExit("`medonline serve` of this checkout knows no --workers: one process is all it has.")
    return ["--workers", str(processes)]


def _answers(url: str) -> bool:
    try:
        return _HTTP.get(url).status_code == 200
    except httpx.HTTPError:
        return False
