"""Pages that stay open. Each is a separate browser that listens, and after a lost socket it comes back as the app does."""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import httpx

from benchmarks.load.patient import Patient
from benchmarks.load.wire import Closed, Failed, Shown

AT_ONCE = 20  # how many pages are opened at the same time
# Like the app's own socket: the first attempt is immediate, each failure adds 0.2 s up to 2 s, and the pause is multiplied by 0.5 to 2.5.
# After an announced restart it behaves as after ten failures.
SERVICE_RESTART = "1012"
_BACKOFF_S, _MOST_BACKOFFS = 0.2, 10
_SPARE = 200  # files and sockets besides those of the pages

Begin = Callable[[Patient], Awaitable[None]]


@dataclass(frozen=True)
class Return:
    """A page that is back: when it was loaded (monotonic clock), and whether it shows what it must."""

    at: float
    shows: bool


class Pages:
    """Open pages. `refused` says why pages could not be opened, `lost` says how open pages ended."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.lost: list[str] = []
        self._patients: list[Patient] = []
        self._must_show: Shown | None = None
        self._back: list[Return] = []
        self._listening: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        return len(self._patients) - len(self.lost)

    async def open(self, patients: Iterable[Patient], begin: Begin) -> None:
        """Open a page for each patient with `begin`, and keep the pages that opened."""
        left = iter(patients)

        async def open_some() -> None:
            for patient in left:
                try:
                    await begin(patient)
                except (Failed, OSError, EOFError, TimeoutError, httpx.HTTPError) as error:
                    self.refused.append(f"{type(error).__name__}: {error}")
                    await patient.close()
                    continue
                await patient.http.aclose()
                self._patients.append(patient)
                self._listening.append(asyncio.create_task(self._listen(patient)))

        await asyncio.gather(*(open_some() for _ in range(AT_ONCE)))

    def expect_restart(self, shown: Shown) -> None:
        """From now on, a page that loses its socket comes back and must show this."""
        self._must_show = shown

    async def all_back(self) -> list[Return]:
        """Wait until each page has lost its socket and come back."""
        await asyncio.gather(*self._listening)
        return self._back

    async def close(self) -> None:
        """Close all pages."""
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        for patient in self._patients:
            await patient.close()

    async def _listen(self, patient: Patient) -> None:
        try:
            while True:
                await patient.open_tab.hear()
        except (Closed, OSError, EOFError) as error:
            patient.open_tab.drop()
            if self._must_show is None:
                self.lost.append(f"{type(error).__name__}: {error}")
                return
            announced = SERVICE_RESTART in str(error)
        self._back.append(await _come_back(patient, self._must_show, _MOST_BACKOFFS if announced else 0))


async def _come_back(patient: Patient, shown: Shown, failed: int) -> Return:
    while True:
        await asyncio.sleep(_BACKOFF_S * failed * random.uniform(0.5, 2.5))
        try:
            shows = await patient.reconnect(shown)
        except (Failed, OSError, EOFError, TimeoutError):
            failed = min(failed + 1, _MOST_BACKOFFS)
        else:
            return Return(time.monotonic(), shows)


def allow_sockets(many: int) -> str:
    """Raise this process's limit of open files for this many sockets. Returns the portal's setting SOCKETS_IN_ALL for them.

    Raises:
        SystemExit: the machine does not allow it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = many + _SPARE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"This process may open {hard} files, not {wanted}: raise the hard limit (ulimit -Hn).")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return str(wanted)
