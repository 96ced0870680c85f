"""What all tests share: their order, and the path of a Chromium."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from medonline.logs.setup import _TALKATIVE, DampedHandler
from tests.argon2 import cheapest_argon2
from tests.storage.postgresql_server import make_template, postgresql
from tools.ensure_browser import NAMES

pytest_plugins = ["pytester", "tests.second_try"]

E2E = Path(__file__).with_name("e2e")
# `make model`: random walks and attacks run for a long time instead of seconds.
LONG_RUN = bool(os.environ.get("LONG_RUN"))
# The slowest browser tests, which run before the others in this order. Each process takes whole files, so a process that takes a long file
# last would keep all others waiting.
LONGEST = (
    "test_account_settings.py",
    "test_survival.py",
    "test_every_way.py",
    "test_account_sessions.py",
    "test_patient_cards.py",
    "test_gosuslugi_refusals.py",
    "test_ways_on_bad_days.py",
    "test_patient_calls.py",
    "test_password_recovery_code.py",
    "test_order_of_ways.py",
    "test_guide_beyond.py",
    "test_passkeys.py",
    "test_guide_gosuslugi.py",
    "test_gosuslugi_account_linking.py",
)
# The duration of an example depends on what else the machine does.
settings.register_profile("without a clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without a clock")
_ROOT_LEVEL = logging.getLogger().level


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database postgresql` runs tests/services on PostgreSQL, `--screens FOLDER` takes pictures (see the Makefile)."""
    parser.addoption(
        "--database", choices=["sqlite", "postgresql"], default="sqlite", help="what tests/services run on"
    )
    parser.addoption("--screens", default="", help="where tests/e2e keeps every view of the screens it looks at")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests, and run them last, the longest first. Several processes take whole files in this order (`make test`).

    Playwright keeps an event loop running in the main thread until the session ends, so no asynchronous test could start its own loop after
    that.
    """
    for item in items:
        if E2E in item.path.parents:
            item.add_marker(pytest.mark.e2e)
    last = len(LONGEST)
    rank = {E2E / name: number for number, name in enumerate(LONGEST)}
    assert all(path.exists() for path in rank), "LONGEST names a file that is gone"
    items.sort(key=lambda item: (E2E in item.path.parents, rank.get(item.path, last)))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Empty the folder of artefacts once, before any process of the run puts something there."""
    if not (hasattr(session.config, "workerinput") or session.config.option.collectonly):
        shutil.rmtree(session.config.getoption("--output"), ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def delete_output_dir() -> None:
    """Do nothing. Playwright's own fixture empties the folder in every process, even while servers write their logs there."""


@pytest.fixture(scope="session", autouse=True)
def _passwords_cost_nothing() -> Iterator[None]:
    """Most tests make an account or a portal, and both hash passwords. tests/services/passwords hashes like the product."""
    with cheapest_argon2():
        yield


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL that all tests of this process share. A test that stops a server starts its own."""
    with postgresql() as address:
        yield address


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database with the demo patients. It is made once and copied for each test."""
    return asyncio.run(make_template(postgresql_server, tmp_path_factory.mktemp("template")))


@pytest.fixture(scope="session")
def system_chromium() -> str | None:
    """The system's browser. None if Playwright's own download is to be used."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    """A command that sets up logging for its process (`set_up`) must not silence the tests after it.

    Fixtures of a whole session or module also run commands, and they run before this fixture. So it resets the loggers before the test too.
    """
    _reset_loggers()
    yield
    _reset_loggers()


def _reset_loggers() -> None:
    """Set a level only where it differs, because setting one empties the caches of every logger."""
    root = logging.getLogger()
    if root.level != _ROOT_LEVEL:
        root.setLevel(_ROOT_LEVEL)
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, DampedHandler)]
    for name, known in logging.root.manager.loggerDict.items():
        if isinstance(known, logging.Logger) and known.level != logging.NOTSET and name.split(".")[0] in _TALKATIVE:
            known.setLevel(logging.NOTSET)
