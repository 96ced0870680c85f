"""Find a Chromium for the browser tests, or get one: the system's package when root, then Playwright's own download.

The headless shell is asked for first: it draws no windows, and the browser tests take a third of the processor time that they
take in the whole Chromium. Where it cannot be had, any Chromium does.
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
    """Whether the system has one, or Playwright downloaded one before."""
    if any(shutil.which(name) for name in NAMES):
        return True
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def attempt(*command: str) -> None:
    """Run one way of getting a browser; whether it helped is seen afterwards."""
    print(f"Looking for a browser: {' '.join(command)}", flush=True)
    try:
        subprocess.run(command, check=False, timeout=600, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {error}", file=sys.stderr)


def install(package: str) -> None:
    """Ask Debian's package manager, where we may."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempt("apt-get", "update", "-q")
        attempt("apt-get", "install", "-y", "-q", "--no-install-recommends", package)


def main() -> int:
    """0 when there is a browser in the end."""
    if not shutil.which(SHELL):
        install(SHELL)
    if not shutil.which("firefox-esr"):
        install("firefox-esr")  # for one test, which says so where it is missing
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
