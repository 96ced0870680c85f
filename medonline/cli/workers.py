"""Runs several worker processes behind one listening socket. A parent process watches them and serves nothing itself."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from medonline.config.settings import Config, ConfigurationError
from medonline.metrics import families
from medonline.services.limits.alarms import Alarm

log = logging.getLogger(__name__)

# A worker that dies is replaced after a pause. The pause doubles each time the next one also dies young.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
YOUNG_S = 60.0
LOOK_S = 0.2


def require_shared(config: Config) -> None:
    """Check that several processes can share what they must share.

    Raises:
        ConfigurationError: these settings do not allow it. One sentence for each reason.
    """
    faults = []
    if config.database.startswith("sqlite"):
        faults.append(
            "Several workers need PostgreSQL (MEDONLINE_DATABASE_URL): SQLite lets one process write at a time."
        )
    if config.limits_in_memory:
        faults.append(
            "Several workers need Redis (MEDONLINE_LIMITS_STORAGE): in memory each would count for itself, and let through as "
            "many times what the limits allow."
        )
    if faults:
        raise ConfigurationError("\n".join(faults))


class Workers:
    """Keeps `count` processes running `serve` until SIGTERM or SIGINT, and passes the signal on to them.

    The processes are forked, so they share the memory of the modules named in `preload`. Each worker accepts connections from `listening`,
    a bound socket. A worker that dies loses only its current work.
    """

    def __init__(self, count: int, serve: Callable[[], int], listening: socket.socket, preload: str) -> None:
        self._count = count
        self._serve = serve
        self._listening = listening
        self._preload = preload
        self._born: dict[int, float] = {}  # by process id
        self._pause = FIRST_PAUSE_S
        self._next_at = 0.0
        self._stopping = False
        self._parent_lives, self._parent = os.pipe()

    def run(self) -> int:
        """Returns 0 when all workers ended normally after a signal; 1 when they cannot even start, or when one did not end normally."""
        with tempfile.TemporaryDirectory(prefix="medonline-metrics-") as numbers:
            families.share(Path(numbers))
            return self._watch()

    def _watch(self) -> int:
        importlib.import_module(self._preload)
        others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
        if others:
            # A lock that another thread holds at the fork would stay held in the child for ever.
            msg = f"threads run before the workers are forked: {', '.join(others)}"
            raise RuntimeError(msg)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        codes: list[int] = []
        served_once = False
        while self._born or not self._stopping:
            if not self._stopping and len(self._born) < self._count and time.monotonic() >= self._next_at:
                self._fork()
                continue
            ended = self._ended()
            if ended is None:
                served_once = served_once or any(time.monotonic() - born > YOUNG_S for born in self._born.values())
                time.sleep(LOOK_S)
                continue
            code, age = ended
            if self._stopping:
                codes.append(code)
            elif code == 1 and not served_once and age < YOUNG_S:
                # This worker could not start and said why. The others cannot start either.
                self._tell(signal.SIGTERM)
                self._stopping = True
                codes.append(code)
            else:
                self._replace(code, age)
        return max((abs(code) for code in codes), default=0) and 1

    def _fork(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._born[pid] = time.monotonic()
            return
        code = 1
        try:
            os.close(self._parent)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            threading.Thread(target=self._end_with_the_parent, name="end with the parent", daemon=True).start()
            code = self._serve()
        except BaseException:  # a traceback is all that the child can give: no code above may run in it
            log.exception("A worker failed")
        finally:
            logging.shutdown()
            os._exit(code)

    def _end_with_the_parent(self) -> None:
        """End with the parent. A worker without its watching parent would keep the address, and nobody would stop it."""
        os.read(self._parent_lives, 1)  # returns when the parent's end of the pipe closes, for any reason
        os.kill(os.getpid(), signal.SIGTERM)

    def _ended(self) -> tuple[int, float] | None:
        """The exit code (negative: the signal) and the age in seconds of a worker that ended."""
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid not in self._born:
            return None
        families.forget_process(pid)
        return os.waitstatus_to_exitcode(status), time.monotonic() - self._born.pop(pid)

    def _replace(self, code: int, age: float) -> None:
        self._pause = min(self._pause * 2, LONGEST_PAUSE_S) if age < YOUNG_S else FIRST_PAUSE_S
        self._next_at = time.monotonic() + self._pause
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        log.error(
            "ALARM %s: a worker ended %s after %s s: another one begins in %s s",
            Alarm.WORKER_ENDED,
            how,
            round(age),
            self._pause,
        )

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        """Pass the signal on to the workers. A second signal is passed on too and ends the drain."""
        self._stopping = True
        self._listening.close()
        self._tell(signal.Signals(number))

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._born:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                log.debug("Worker %s has ended already", pid)
