"""Two versions of the portal side by side, as in the minutes of an upgrade: processes of both on one PostgreSQL and one Redis.

    python -m benchmarks.two_versions --before CHECKOUT

The checkout of the previous version has its own .venv. As in an upgrade, it already serves when this version migrates the database.
Patients begin a recovery at one version, move to the other between two steps, and sign in. A session from one version is read by the other,
and ends in both. At the end this version examines the journal of both, and commands of the previous version refuse the newer database. Exit
code 1 when a walk failed, the journal is broken, or a log complains.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.load.accounts import accounts
from benchmarks.load.databases import free_port, postgresql
from benchmarks.load.patient import AT_CODE, Patient, code_of
from benchmarks.load.redis import redis
from benchmarks.load.report import print_table
from benchmarks.load.servers import CHECKOUT, RAISED, STAND_INS, Process, environment_of
from benchmarks.load.wire import Failed, need

PATIENTS = 40
CALLS_WITHIN_S = 30.0
PAUSE_S = 1  # seconds between two codes to one phone
_TROUBLE = re.compile(r" (?:ERROR|CRITICAL) | ALARM |Traceback")


class Both:
    """The two portals, by name."""

    def __init__(self, urls: dict[str, str], stand_ins: str) -> None:
        self.urls, self._stand_ins, self._next = urls, stand_ins, 1

    def patient(self, at: str) -> Patient:
        """A new patient with a new browser."""
        self._next += 1
        return Patient(self.urls[at], self._stand_ins, self._next)

    def over(self, patient: Patient, to: str) -> Patient:
        """The same browser at the other portal, as when a balancer moves it during a restart."""
        other = Patient(self.urls[to], self._stand_ins, patient.number)
        other.http.cookies = patient.http.cookies
        other.password, other.code = patient.password, patient.code
        return other


async def stays(both: Both, at: str, _other: str) -> None:
    """A whole journey at one version, while the other also serves."""
    patient = both.patient(at)
    for step in ("page", "request", "outbox", "verify", "set_password", "login", "profile"):
        await getattr(patient, step)()
    await patient.close()


async def goes_over_at_the_code(both: Both, at: str, other: str) -> None:
    """One version places the call, and the patient types its code at the other."""
    patient = both.patient(at)
    for step in ("page", "request", "outbox"):
        await getattr(patient, step)()
    there = both.over(patient, other)
    await there.open("/recovery", AT_CODE)
    for step in ("verify", "set_password", "login", "profile"):
        await getattr(there, step)()
    await _close(patient, there)


async def goes_over_at_the_password(both: Both, at: str, other: str) -> None:
    """One version accepts the code, the other sets the password, and the first signs the patient in."""
    patient = both.patient(at)
    for step in ("page", "request", "outbox", "verify"):
        await getattr(patient, step)()
    there = both.over(patient, other)
    await there.open("/recovery")
    await there.set_password()
    back = both.over(there, at)
    await back.open("/recovery")
    await back.login()
    await back.profile()
    await _close(patient, there, back)


async def keeps_the_session(both: Both, at: str, other: str) -> None:
    """One version opens a session and the other reads it. A new password set there ends it in both."""
    patient = both.patient(at)
    for step in ("page", "request", "outbox", "verify", "set_password", "login", "profile"):
        await getattr(patient, step)()
    there = both.over(patient, other)
    await there.profile()
    again = both.over(patient, other)
    again.http.cookies = type(patient.http.cookies)()  # another browser of the same patient
    await again.page()
    await asyncio.sleep(PAUSE_S)
    await again.request()
    again.code = await _second_call(again)
    await again.verify()
    await again.set_password()
    for browser in (patient, there):
        need(await browser.session_left() == {"idle": 0, "absolute": 0}, "a session outlived the new password")
    await _close(patient, there, again)


async def _second_call(patient: Patient) -> str:
    """The code of the second call. The notice about the first new password also reaches the phone."""
    deadline = time.monotonic() + CALLS_WITHIN_S
    while time.monotonic() < deadline:
        calls = [event for event in await patient.events() if event["kind"] == "call"]
        if len(calls) == 2:
            return code_of(calls[-1])
        await asyncio.sleep(0.1)
    raise Failed("no second call came")


async def _close(*patients: Patient) -> None:
    for one in patients:
        await one.close()


WALKS: tuple[Callable[[Both, str, str], Awaitable[None]], ...] = (
    stays,
    goes_over_at_the_code,
    goes_over_at_the_password,
    keeps_the_session,
)


@contextmanager
def both_versions(before: Path) -> Iterator[tuple[Both, dict[str, Process], Path]]:
    """Stand-ins of this version, and one portal of each version. Everything ends with the block.

    Raises:
        SystemExit: one of them cannot start, with a sentence.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medonline-two-versions-")))
        database, store = stack.enter_context(postgresql()), stack.enter_context(redis())
        stand_ins_port = free_port()
        stand_ins = f"http://127.0.0.1:{stand_ins_port}"
        shared = RAISED | {name: f"{stand_ins}/{path}" for name, path in STAND_INS.items()}
        shared |= {
            "RESEND_PAUSES": f"{PAUSE_S} s",
            "DATABASE_URL": database.address("psycopg"),
            "LIMITS_STORAGE": store.address,
        }
        checkouts = {"before": before, "now": CHECKOUT}
        ports = {name: free_port() for name in checkouts}
        environments = {name: environment_of(folder / name, ports[name], shared) for name in checkouts}
        for name, checkout in checkouts.items():
            run(checkout, environments[name], "build")
        processes = {
            "stand-ins": Process(
                [str(CHECKOUT / ".venv" / "bin" / "medonline"), "sandbox"],
                environment_of(folder / "stand-ins", stand_ins_port, shared),
                CHECKOUT,
                folder / "stand-ins.log",
                f"{stand_ins}/phone/79100001001/events",
            )
        }
        for name, checkout in checkouts.items():
            words = [str(checkout / ".venv" / "bin" / "medonline"), "serve"]
            ready = f"http://127.0.0.1:{ports[name]}/health/ready"
            processes[name] = Process(words, environments[name], checkout, folder / f"{name}.log", ready)
        for name, process in processes.items():
            # As in an upgrade: the previous version already serves when the database is migrated. At its start it would refuse the newer
            # revision.
            if name != "stand-ins":
                run(checkouts[name], environments[name], "migrate")
            stack.callback(process.stop)
            process.start()
        database.run(accounts(0, PATIENTS))
        yield Both({name: f"http://127.0.0.1:{port}" for name, port in ports.items()}, stand_ins), processes, folder


def run(checkout: Path, environment: dict[str, str], *words: str) -> str:
    """The output of a command of a checkout.

    Raises:
        SystemExit: the command fails.
    """
    command = [str(checkout / ".venv" / "bin" / "medonline"), *words]
    done = subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"`medonline {' '.join(words)}` in {checkout}:\n{done.stdout}{done.stderr}")
    said: str = done.stdout
    return said.strip()


async def walk_all(both: Both) -> list[tuple[str, str, str]]:
    """Play each walk, beginning at either version. Returns its name, where it began, and what failed (empty when it went well)."""
    rows = []
    for walk in WALKS:
        for at, other in (("before", "now"), ("now", "before")):
            try:
                await walk(both, at, other)
                rows.append((walk.__name__, at, ""))
            except (Failed, OSError) as error:
                rows.append((walk.__name__, at, f"{type(error).__name__}: {error}"))
    return rows


def main() -> int:
    """Exit code: 1 when a walk failed, or a version has a complaint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="a checkout of the version before, with its .venv")
    arguments = parser.parse_args()
    with both_versions(arguments.before.resolve()) as (both, processes, folder):
        rows = asyncio.run(walk_all(both))
        checkouts = {"before": arguments.before.resolve(), "now": CHECKOUT}
        for name, checkout in checkouts.items():
            print(f"{name}: {run(checkout, dict(processes[name].environment), '--version')}")
        print(run(CHECKOUT, dict(processes["now"].environment), "journal", "verify"))
        for process in processes.values():
            process.stop()
        troubles = [
            f"{name}: {line}"
            for name in processes
            for line in (folder / f"{name}.log").read_text(errors="replace").splitlines()
            if _TROUBLE.search(line)
        ]
    print_table(("walk", "begun at", "failed"), [(name, at, failed or "-") for name, at, failed in rows])
    print("\n".join(troubles) or "The logs complain of nothing.")
    return 1 if troubles or any(failed for *_, failed in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
