"""A place in the code that is made to log again and again does not make the log grow."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from medonline.logs import damping
from medonline.logs.damping import LINES_PER_MINUTE, DampedHandler


class Minutes:
    """The handler's clock."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    clock = Minutes()
    monkeypatch.setattr(damping, "time", clock)
    return clock


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO, clock: Minutes) -> Iterator[logging.Logger]:
    logger = logging.Logger("attacked")
    handler = DampedHandler(stream)
    logger.addHandler(handler)
    yield logger
    handler.close()


def complain(log: logging.Logger, times: int) -> None:
    for number in range(times):
        log.warning("refused %s", number)


def test_lines_beyond_the_limit_are_left_out(log: logging.Logger, stream: io.StringIO) -> None:
    complain(log, 100_000)

    assert stream.getvalue().count("\n") == LINES_PER_MINUTE


def test_another_place_is_still_heard(log: logging.Logger, stream: io.StringIO) -> None:
    complain(log, 1000)
    log.error("the database is gone")

    assert "the database is gone" in stream.getvalue()


def test_how_many_were_left_out_is_said_when_the_minute_is_over(
    log: logging.Logger, stream: io.StringIO, clock: Minutes
) -> None:
    complain(log, LINES_PER_MINUTE + 7)
    clock.now += 60
    log.error("something else")

    assert "7 more lines like those of line" in stream.getvalue()


def test_after_the_minute_the_place_is_heard_again(log: logging.Logger, stream: io.StringIO, clock: Minutes) -> None:
    complain(log, 1000)
    clock.now += 60
    log.warning("refused once more")  # another line of this file
    complain(log, 1)

    assert stream.getvalue().count("refused 0") == 2


def test_what_was_left_out_last_is_said_at_the_end(log: logging.Logger, stream: io.StringIO) -> None:
    complain(log, LINES_PER_MINUTE + 3)
    log.handlers[0].close()

    assert "3 more lines" in stream.getvalue()
