from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.bootstrap.demo_accounts import seed_demo
from medonline.storage import migrations
from tests.services.world import MovableClock, config_in, copy_database, opened


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


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.move(days=1)  # after the demo patients were made
    return clock


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    copy_database(template, tmp_path)
    return tmp_path


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield portal
