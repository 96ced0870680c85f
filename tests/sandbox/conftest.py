from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.patience import PATIENCE
from tests.sandbox.gosuslugi import Person, running_gosuslugi
from tests.sandbox.server import running_sandbox, settings


@pytest.fixture(scope="package")
def sandbox_url() -> Iterator[str]:
    with running_sandbox(settings()) as url:
        yield url


@pytest.fixture
async def http(sandbox_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="package")
def gosuslugi_url() -> Iterator[str]:
    """The address of a sandbox with Gosuslugi in it."""
    with running_gosuslugi() as url:
        yield url


@pytest.fixture
async def gosuslugi(gosuslugi_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gosuslugi_url, trust_env=False, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
async def visitor(gosuslugi_url: str) -> AsyncIterator[Person]:
    """Somebody who has not signed in yet."""
    async with Person(gosuslugi_url) as person:
        yield person
