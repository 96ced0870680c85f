"""Find the servers that tests start for themselves (Redis, PostgreSQL, nginx), or get the system's packages when root.

A test of a server that is not there is skipped, and says so at the end of the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Debian's package, and where its program may be: PostgreSQL and nginx are out of the PATH of most users.
PACKAGES = {
    "redis-server": ("redis-server", ()),
    "postgresql": ("initdb", Path("/usr/lib/postgresql").glob("*/bin")),
    "nginx": ("nginx", (Path("/usr/sbin"),)),
}


def missing() -> list[str]:
    """Packages whose program is nowhere."""
    places = os.environ.get("PATH", "")
    return [
        package
        for package, (program, more) in PACKAGES.items()
        if not shutil.which(program, path=os.pathsep.join([places, *map(str, more)]))
    ]


def main() -> int:
    """0 always: the tests say what they could not test."""
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
