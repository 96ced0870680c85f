"""Finds the servers that tests start themselves (Redis, PostgreSQL, nginx), or installs the system's packages if root.

A test that needs a missing server is skipped, and the end of the run says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Debian's package, and where its program may be: most users do not have PostgreSQL and nginx in their PATH.
PACKAGES = {
    "redis-server": ("redis-server", ()),
    "postgresql": ("initdb", Path("/usr/lib/postgresql").glob("*/bin")),
    "nginx": ("nginx", (Path("/usr/sbin"),)),
}


def missing() -> list[str]:
    """Packages whose program was not found."""
    places = os.environ.get("PATH", "")
    return [
        package
        for package, (program, more) in PACKAGES.items()
        if not shutil.which(program, path=os.pathsep.join([places, *map(str, more)]))
    ]


def main() -> int:
    """Exit code: always 0, because the tests themselves say what they could not test."""
    wanted = missing()
    if not wanted:
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(
            f"Not tested without them: {', '.join(wanted)} (Debian: apt install {' '.join(wanted)}).", file=sys.stderr
        )
        return 0
    quiet = {"check": False, "timeout": 600, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", *wanted],
    ):
        print(f"For the tests: {' '.join(command)}", flush=True)
        try:
            subprocess.run(command, env=environment, **quiet)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"  {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
