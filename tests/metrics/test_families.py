"""Families of numbers: what Prometheus reads of them, from one process and from several."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from medonline.metrics.families import Count, Duration, Level, Reading, exposition
from medonline.metrics.names import FAMILIES
from tests.metrics.reading import number

ASKED = Count("test_asked", "Asked.", ("channel",))
TOOK = Duration("test_took_seconds", "Took.", bounds=(1, 2))
HELD = Level("test_held", "Held.")
LOOKED_UP = Reading("test_looked_up", "Looked up.", ("queue",))


def test_what_happened_is_read_by_name_and_label() -> None:
    for _ in range(3):
        ASKED.add("telegram")
    ASKED.add("flash_call")
    TOOK.observe(1.5)
    HELD.change(+2)
    HELD.change(-1)
    text = exposition({LOOKED_UP: {("codes",): 4.0}})

    assert number(text, "test_asked_total", channel="telegram") == 3
    assert number(text, "test_asked_total", channel="flash_call") == 1
    assert [number(text, "test_took_seconds_bucket", le=end) for end in ("1.0", "2.0", "+Inf")] == [0, 1, 1]
    assert number(text, "test_held") == 1
    assert number(text, "test_looked_up", queue="codes") == 4


def test_a_block_that_fails_has_taken_its_time_all_the_same() -> None:
    before = number(exposition({}), "test_took_seconds_count")
    try:
        with TOOK.timed():
            raise ValueError
    except ValueError:
        pass

    assert number(exposition({}), "test_took_seconds_count") == before + 1


def test_the_portals_families_are_ones_that_prometheus_takes() -> None:
    assert all(name.startswith("medonline_") and family.text.endswith(".") for name, family in FAMILIES.items())
    list(text_string_to_metric_families(exposition({}).decode()))


def test_workers_add_up_what_they_count_and_a_dead_one_holds_nothing_any_more(tmp_path: Path) -> None:
    """In processes of their own: prometheus_client decides at its import where numbers are kept."""
    script = f"""
        import os
        from pathlib import Path
        from medonline.metrics.families import Count, Level, exposition, forget_process, share
        asked, held = Count("shared_asked", "Asked."), Level("shared_held", "Held.")
        share(Path({str(tmp_path)!r}))
        pids = []
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                asked.add()
                held.change(+1)
                os._exit(0)
            os.waitpid(pid, 0)
            pids.append(pid)
        before = exposition({{}}).decode()
        forget_process(pids[0])
        after = exposition({{}}).decode()
        for text in (before, after):
            print(sorted(line for line in text.splitlines() if line.startswith("shared_")))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.splitlines() == [
        "['shared_asked_total 2.0', 'shared_held 2.0']",
        "['shared_asked_total 2.0', 'shared_held 1.0']",
    ]
