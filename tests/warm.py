"""Runs `medonline` in separate processes that are forked from one that has imported it. The import is three quarters of a start.

The portal itself forks its workers after the same import (`medonline.cli.workers`). Each process has its own environment, and it makes its
threads, sockets, keys and databases after the fork. Some tests need a real program and do not use this: tests/cli, tests/benchmarks and
`make faults` run the installed command.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from tests.argon2 import cheapest_argon2
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parent.parent
_MAX_REQUEST = 1 << 20
_OF_A_SERVER = (
    "medonline.asgi",
    "medonline.demo.stand_ins",
    "medonline.web.wire.server",
    "medonline.web.wire.websocket",
    "uvicorn.lifespan.on",
)


class WarmProcess:
    """A running `medonline`, with the part of `subprocess.Popen` that tests use. It leads its own process group."""

    def __init__(self, news: IO[bytes]) -> None:
        self._news = news  # sends its pid, and later its exit code
        self.pid = int(self._line(None))  # the first process waits for the imports
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._news], [], [], 0)[0]:
            self.returncode = int(self._line(0))
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit code; a negative one is the signal.

        Raises:
            subprocess.TimeoutExpired: it still runs after this many seconds.
        """
        if self.returncode is None:
            self.returncode = int(self._line(timeout))
        return self.returncode

    def terminate(self) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(self.pid, signal.SIGTERM)

    def _line(self, timeout: float | None) -> bytes:
        if timeout is not None and not select.select([self._news], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("medonline", timeout)
        line = self._news.readline()
        assert line, "the process that forks has ended"
        return line


def start(arguments: Sequence[str], environment: Mapping[str, str], log: int, cheap: bool = False) -> WarmProcess:
    """Run `medonline` with these arguments and only this environment. `log` receives its output.

    cheap: its passwords cost nothing, as in the process of the tests.
    """
    news, told = os.pipe()
    try:
        request = json.dumps({"arguments": [*arguments], "environment": {**environment}, "cheap": cheap}).encode()
        assert len(request) < _MAX_REQUEST
        socket.send_fds(_forking(), [request], [log, told])
    finally:
        os.close(told)
    return WarmProcess(os.fdopen(news, "rb", buffering=0))


@cache
def _forking() -> socket.socket:
    """The forking process. Each process of the tests has one, which ends with it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDONLINE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", str(its.fileno())],
        cwd=ROOT,
        env={**kept, "MEDONLINE_MODE": "demo"},
        stdin=subprocess.DEVNULL,
        pass_fds=[its.fileno()],
    )
    its.close()

    def end() -> None:
        ours.close()
        process.wait(PATIENCE)

    atexit.register(end)
    return ours


def _serve(asking: socket.socket) -> list[str]:
    """Fork for each request until the tests end. Only the forked process returns from here, with its arguments."""
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the tests too, and they end their servers
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    running: dict[int, int] = {}  # where to report the end of a process, by its pid
    while True:
        ready, _, _ = select.select([asking, awake], [], [])
        if awake in ready:
            os.read(awake, 4096)
            _tell_ends(running)
        if asking not in ready:
            continue
        request, files, _, _ = socket.recv_fds(asking, _MAX_REQUEST, 2)
        if not request:
            for pid in running:  # the tests were killed and could not stop these processes
                os.kill(pid, signal.SIGTERM)
            raise SystemExit(0)
        log, told = files
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            asking.close()
            for number in (awake, wake, told, *running.values()):
                os.close(number)
            return _become(json.loads(request), log)
        os.write(told, f"{pid}\n".encode())
        os.close(log)
        running[pid] = told


def _tell_ends(running: dict[int, int]) -> None:
    for pid, told in list(running.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with contextlib.suppress(BrokenPipeError):  # no test is waiting for it any more
                os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(told)
            del running[pid]


def _become(request: dict[str, object], log: int) -> list[str]:
    os.setsid()
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    environment = request["environment"]
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    arguments = request["arguments"]
    assert isinstance(arguments, list)
    if request["cheap"]:
        cheapest_argon2().__enter__()  # for the whole life of this process
    sys.argv = ["medonline", *arguments]
    return arguments


def _import() -> None:
    from medonline.framework.serving import PREBUILT

    os.environ.update(PREBUILT)
    for module in _OF_A_SERVER:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # the garbage collector would write to pages that all processes share


if __name__ == "__main__":
    _import()
    _arguments = _serve(socket.socket(fileno=int(sys.argv[1])))
    from medonline.cli.main import main

    sys.exit(main(_arguments))
