from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.server import Server, ensure_pages
from tests.services.conftest import clock, folder, portal, template

__all__ = ["clock", "folder", "portal", "template"]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The portal behind a real socket, with its own data folder; it ends with this package."""
    ensure_pages()
    folder = tmp_path_factory.mktemp("portal")
    server = Server(folder / "var", folder / "server.log")
    server.start()
    yield server
    server.stop()
