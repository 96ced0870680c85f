"""Find a Chromium for the browser tests, or get one: Playwright's own download, then the system's package when root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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


def main() -> int:
    """0 when there is a browser in the end."""
    if found():
        return 0
    attempt(sys.executable, "-m", "playwright", "install", "chromium")
    if not found() and os.geteuid() == 0 and shutil.which("apt-get"):
        attempt("apt-get", "update", "-q")
        attempt("apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium")
    if found():
        return 0
    print("The browser tests need Chromium: install it (Debian: apt install chromium) and try again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
