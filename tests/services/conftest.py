from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.bootstrap.demo_accounts import seed_demo
from medonline.services import outbox
from medonline.storage import migrations
from tests.services.world import ADDRESSES, MovableClock, config_in, copy_database, opened
from tests.storage.postgresql_server import address_of, administer


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the demo patients, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")

    async def make() -> None:
        await migrations.upgrade(config_in(folder).database)
        async with opened(folder, MovableClock()) as portal:
            await seed_demo(portal.accounts)

    asyncio.run(make())
    return folder / "medonline.sqlite3"


@pytest.fixture(autouse=True)
def _an_end_waits_for_nothing_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a loop gives its work to finish, six seconds, passes in full where a test holds the work."""
    monkeypatch.setattr(outbox, "STOP_WAIT", timedelta(milliseconds=100))


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.move(days=1)  # after the demo patients were made
    return clock


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is about SQLite itself has nothing to look at elsewhere."""
    if config.getoption("--database") == "sqlite":
        return
    for item in items:
        if item.get_closest_marker("sqlite"):
            item.add_marker(pytest.mark.skip(reason="about SQLite itself"))


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder of data with the demo patients' database: in it, or on the server (`--database postgresql`)."""
    if request.config.getoption("--database") == "sqlite":
        copy_database(request.getfixturevalue("template"), tmp_path)
        yield tmp_path
        return
    server, template = request.getfixturevalue("postgresql_server"), request.getfixturevalue("postgresql_template")
    asyncio.run(administer(server, f"CREATE DATABASE of_the_folder TEMPLATE {template}"))
    ADDRESSES[tmp_path] = address_of(server, "of_the_folder")
    yield tmp_path
    del ADDRESSES[tmp_path]
    asyncio.run(administer(server, "DROP DATABASE of_the_folder WITH (FORCE)"))


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield portal
