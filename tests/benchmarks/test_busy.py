"""The benchmark of a busy hour fails where the portal does, and not where only too much is asked of it."""

from __future__ import annotations

import pytest

from benchmarks.busy import Busy, exit_code

WELL, BEHIND = Busy(10), Busy(25, failures=["login: TimeoutError: "], late=3)
FAILS, HANGS = Busy(10, failures=["login: Refused: "]), Busy(10, failures=["page: TimeoutError: "], late=90)


@pytest.mark.parametrize(
    ("found", "code"), [([WELL], 0), ([WELL, BEHIND], 0), ([FAILS], 1), ([HANGS], 1), ([WELL, FAILS], 1)]
)
def test_its_exit_code(found: list[Busy], code: int) -> None:
    assert exit_code(found) == code
