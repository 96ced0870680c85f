"""Finds a Chromium for the browser tests, or installs one: first the system's package if root, then Playwright's own download.

It tries the headless shell first: that draws no windows, and the browser tests take a third of the processor time that they take in the
full Chromium. If it is not available, any Chromium will do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> bool:
    """Whether the system has one, or Playwright has downloaded one before."""
    if any(shutil.which(name) for name in NAMES):
        return True
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def attempt(*command: str) -> None:
    """Try one way of getting a browser. Whether it helped is checked afterwards."""
    print(f"Looking for a browser: {' '.join(command)}", flush=True)
    try:
        subprocess.run(command, check=False, timeout=600, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {error}", file=sys.stderr)


def install(package: str) -> None:
    """Install with Debian's package manager, if this process may."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempt("apt-get", "update", "-q")
        attempt("apt-get", "install", "-y", "-q", "--no-install-recommends", package)


def main() -> int:
    """Exit code: 0 when there is a browser in the end."""
    if not shutil.which(SHELL):
        install(SHELL)
    if not shutil.which("firefox-esr"):
        install("firefox-esr")  # one test needs it, and says so when it is missing
    if found():
        return 0
    attempt(sys.executable, "-m", "playwright", "install", "chromium")
    if not found():
        install("chromium")
    if found():
        return 0
    print("The browser tests need Chromium: install it (Debian: apt install chromium) and try again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
