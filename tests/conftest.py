"""What all tests share: the order in which they run, and where a Chromium is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

E2E = Path(__file__).with_name("e2e")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests, and run them last.

    Playwright keeps an event loop running in the main thread until the session ends; an asynchronous test could not start
    its own after that.
    """
    for item in items:
        if E2E in item.path.parents:
            item.add_marker(pytest.mark.e2e)
    items.sort(key=lambda item: E2E in item.path.parents)


@pytest.fixture(scope="session")
def system_chromium() -> str | None:
    """The system's browser; None when Playwright's own download is to be used."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
