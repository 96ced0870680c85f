"""Databases for walks: a fresh one for each walk, with the demo patients, on SQLite or PostgreSQL."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.conftest import LONG_RUN
from tests.services.world import copy_database
from tests.storage.postgresql_server import address_of, administer

# The suite walks on SQLite; `make model` on both.
ENGINES = ["sqlite", "postgresql"] if LONG_RUN else ["sqlite"]


class Databases(Protocol):
    """Makes databases of one engine."""

    async def make(self, folder: Path) -> dict[str, Any]:
        """A copy for the portal whose data lie in `folder`; the settings that name it."""

    async def drop(self, settings: dict[str, Any]) -> None:
        """Its end; nothing is connected to it any more."""


@dataclass(frozen=True)
class SqliteDatabases:
    """A file in the portal's folder, which goes with the folder."""

    template: Path

    async def make(self, folder: Path) -> dict[str, Any]:
        copy_database(self.template, folder)
        return {}

    async def drop(self, _settings: dict[str, Any]) -> None:
        return None


@dataclass(frozen=True)
class PostgresqlDatabases:
    server: str
    template: str
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def make(self, _folder: Path) -> dict[str, Any]:
        name = f"walk_{next(self._numbers)}"
        await administer(self.server, f"CREATE DATABASE {name} TEMPLATE {self.template}")
        return {"database_url": address_of(self.server, name)}

    async def drop(self, settings: dict[str, Any]) -> None:
        name = settings["database_url"].rpartition("/")[2]
        await administer(self.server, f"DROP DATABASE {name}")


@pytest.fixture(scope="module", params=ENGINES)
def databases(request: pytest.FixtureRequest) -> Databases:
    if request.param == "sqlite":
        return SqliteDatabases(request.getfixturevalue("template"))
    server = request.getfixturevalue("postgresql_server")
    return PostgresqlDatabases(server, request.getfixturevalue("postgresql_template"))
