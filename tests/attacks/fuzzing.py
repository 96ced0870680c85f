"""A frame fuzzer against a real server: `make fuzz`, or `python -m tests.attacks.fuzzing --frames 100000 --seed 7`.

It watches what must not grow (memory, log, sockets held) or change (the record), and looks for what must not be in the log. The table
at the end names each bound; exit code 1 when one is broken. A run's seed is printed first; `--life N` replays one socket of it.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import websocket

from tests.attacks.fuzz_frames import CANARY, Life, Outcome, life_of
from tests.attacks.raw import NAMESPACE, Raw, memory_of, sockets_of
from tests.e2e.server import Server
from tests.state.watching import log_of, record

MAX_GROWTH_KB = 20 * 1024
MAX_LOG_PER_MINUTE = 1024 * 1024  # bytes
MAX_SOCKETS_HELD = 4  # the server's own: it listens, and may keep what a health check left
SMALL_BUFFER = 4096
STUCK = "neither served nor closed"
SAMPLED_EVERY_S = 0.25
# The server lets go of a refused socket after 5 s at most, whether its peer reads or not (web.sockets.gate.CLOSE_WITHIN).
LET_GO_S = 7.0
# Not a call that Reflex could not make because its values have other names than the handler's: that is refused, and logged as this.
_FAILED = re.compile(r"A handler failed (?!\[\w+\]: TypeError at \S+/base_state_processor\.py).*")


@dataclass
class Tally:
    """What happened so far, added up by all threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_life: int = 0
    frames: int = 0
    opened: int = 0
    manners: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def take(self, until: int) -> int | None:
        """The number of the next life; None when there have been enough frames."""
        with self.lock:
            if self.frames >= until:
                return None
            self.next_life += 1
            return self.next_life


def live(server: Server, life: Life, tally: Tally) -> None:
    """Live one life, and say what came of it."""
    sent, opened, ended, fault = 0, False, "", ""
    origin = life.origin.format(url=server.url) if life.origin else life.origin
    raw = Raw(server, life.path, origin, life.cookie, token=life.token)
    raw.receive_buffer = 0 if life.reads else SMALL_BUFFER
    try:
        with raw:
            opened = True
            sent, ended = _say(raw, life)
    except websocket.WebSocketBadStatusException as refusal:
        ended = f"refused with {refusal.status_code}"
    except websocket.WebSocketTimeoutException:
        ended = STUCK
    except (websocket.WebSocketException, OSError) as error:
        ended = f"{type(error).__name__}"
    if ended == STUCK or (life.outcome is not Outcome.ANY and not ended.startswith(life.outcome)):
        fault = f"life {life.number} ({life.manner}): {ended} instead of {life.outcome}"
    with tally.lock:
        tally.frames += sent
        tally.opened += opened
        tally.manners[life.manner] += 1
        tally.ended[ended] += 1
        if fault:
            tally.faults.append(fault)


def _say(raw: Raw, life: Life) -> tuple[int, str]:
    """How many frames were sent, and how it ended."""
    sent = 0
    if life.joins is not None:
        sent += raw.send(f"40{NAMESPACE},{life.joins}")
    for frame in life.frames:
        if not raw.send_bytes(frame):
            break
        sent += 1
    if not life.reads:
        time.sleep(0.5)
        return sent, "left without reading"
    if life.outcome is Outcome.CLOSED:
        closed = raw.is_closed()
    elif life.manner == "a frame cut off":
        return sent, "left in the middle of a frame"
    else:
        closed = not raw.serves()
    if not closed:
        return sent, "served" if life.outcome is not Outcome.CLOSED else "left open"
    return sent, f"closed with {raw.closed_with}" if raw.closed_with else "closed without a word"


def fuzz(server: Server, seed: int, frames: int, sockets: int, tally: Tally) -> None:
    """Send so many frames from so many sockets at once."""

    def work() -> None:
        while (number := tally.take(frames)) is not None:
            try:
                live(server, life_of(seed, number), tally)
            except Exception as error:
                with tally.lock:
                    tally.faults.append(f"life {number}: the fuzzer failed with {error!r}")
                raise

    threads = [threading.Thread(target=work, daemon=True) for _ in range(sockets)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def sampled(server: Server) -> Iterator[list[int]]:
    """The server's memory in KB, again and again."""
    samples, over = [memory_of(server)], threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLED_EVERY_S):
            samples.append(memory_of(server))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
        samples.append(memory_of(server))


@dataclass(frozen=True)
class Report:
    """What a run measured, after its warm-up."""

    seed: int
    tally: Tally
    seconds: float
    memory_before: int
    memory_peak: int
    memory_after: int
    log_bytes: int
    sockets_held: int
    faults: tuple[str, ...]

    @property
    def log_per_minute(self) -> float:
        """Bytes. A run of less than a minute counts as one: the log is damped by the minute."""
        return self.log_bytes / max(self.seconds / 60, 1)

    @property
    def broken(self) -> list[str]:
        """Each bound that was not kept."""
        bounds = {
            "memory grew by more than 20 MB": self.memory_peak - self.memory_before > MAX_GROWTH_KB,
            "the log grew by more than 1 MB a minute": self.log_per_minute > MAX_LOG_PER_MINUTE,
            "the server holds sockets that nobody has": self.sockets_held > MAX_SOCKETS_HELD,
        }
        return [*(name for name, is_broken in bounds.items() if is_broken), *self.faults]

    def table(self) -> str:
        """For people."""
        rows = [
            ("seed", self.seed),
            ("frames sent", self.tally.frames),
            ("duration", f"{self.seconds:.1f} s"),
            ("frames a second", f"{self.tally.frames / self.seconds:.0f}"),
            ("sockets opened", self.tally.opened),
            *((f"  {ended}", count) for ended, count in self.tally.ended.most_common()),
            ("sockets the server still holds", self.sockets_held),
            ("memory before", f"{self.memory_before / 1024:.1f} MB"),
            ("memory after", f"{self.memory_after / 1024:.1f} MB"),
            ("memory at its peak", f"+{(self.memory_peak - self.memory_before) / 1024:.1f} MB (bound 20)"),
            ("log", f"{self.log_bytes} bytes"),
            ("log a minute", f"{self.log_per_minute:.0f} bytes (bound {MAX_LOG_PER_MINUTE})"),
            ("manners", ", ".join(f"{name} {count}" for name, count in self.tally.manners.most_common())),
            ("verdict", "; ".join(self.broken[:20]) or "every bound was kept"),
        ]
        return "\n".join(f"{name:<34}{value}" for name, value in rows)


def run(server: Server, seed: int, frames: int, warm_up: int, sockets: int) -> Report:
    """Warm up, then measure. The warm-up's frames are of the same kinds; whatever they break counts, too."""
    before, logged = record(server), len(log_of(server))
    warm = Tally()
    fuzz(server, seed, warm_up, sockets, warm)
    time.sleep(LET_GO_S)
    memory_before, log_before, began = memory_of(server), server.log.stat().st_size, time.monotonic()
    tally = Tally(next_life=warm.next_life)
    with sampled(server) as samples:
        fuzz(server, seed, frames, sockets, tally)
        seconds = time.monotonic() - began
        time.sleep(LET_GO_S)
    server.assert_alive()
    news = log_of(server)[logged:]
    faults = [*warm.faults, *tally.faults]
    faults += [f"in the log: {word}" for word in (CANARY, "Traceback", "\x1b") if word in news]
    faults += [f"in the log: {line}" for line in _FAILED.findall(news)]
    held = sockets_of(server)
    faults += [] if _serves_a_page(server) else ["a page is not served any more"]
    faults += [] if record(server) == before else ["the record is not what it was"]
    log_bytes = server.log.stat().st_size - log_before
    return Report(seed, tally, seconds, memory_before, max(samples), samples[-1], log_bytes, held, tuple(faults))


def _serves_a_page(server: Server) -> bool:
    try:
        with Raw(server) as page:
            return page.join().serves()
    except (EOFError, websocket.WebSocketException):
        return False


def main() -> int:
    """The long run."""
    parser = argparse.ArgumentParser(description="Send malformed frames to a server of its own, and watch it.")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--warm-up", type=int, default=6_000, help="frames before anything is measured")
    parser.add_argument("--sockets", type=int, default=12, help="how many at once; an address may have 20")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--life", type=int, help="replay this one only")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "var", Path(folder) / "server.log")
        server.start()
        try:
            if chosen.life is not None:
                tally = Tally()
                life = life_of(chosen.seed, chosen.life)
                live(server, life, tally)
                print(life, dict(tally.ended), tally.faults, log_of(server), sep="\n")
                return 1 if tally.faults else 0
            report = run(server, chosen.seed, chosen.frames, chosen.warm_up, chosen.sockets)
            print(report.table())
            if report.broken:
                print(log_of(server)[-2000:], file=sys.stderr)
            return 1 if report.broken else 0
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
