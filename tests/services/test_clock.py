"""The one clock of the services: aware, UTC, and the only place of the services that looks at the time."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medonline import services
from medonline.services.clock import utc_now

SERVICES = Path(str(services.__file__)).parent
# What asks the machine for the time of day. `time.monotonic` and sleeping do not.
LOOKS = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}


def test_now_is_aware_and_utc() -> None:
    before = datetime.now(UTC)
    now = utc_now()
    after = datetime.now(UTC)

    assert now.utcoffset() == timedelta(0)
    assert before <= now <= after


@pytest.mark.parametrize("path", sorted(SERVICES.rglob("*.py")), ids=lambda path: str(path.relative_to(SERVICES)))
def test_services_are_told_the_time_and_never_look(path: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    looks = [
        f"{ast.unparse(call)}()"
        for call in calls
        if isinstance(call, ast.Attribute)
        and call.attr in LOOKS
        and ast.unparse(call.value) in ("datetime", "date", "time", "datetime.datetime", "datetime.date")
    ]

    assert looks == (["datetime.now()"] if path.name == "clock.py" else [])
