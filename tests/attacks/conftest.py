"""A real server, attacked over real sockets by a client without manners."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.server import Server, ensure_pages
from tests.services.conftest import clock, folder, portal, template
from tests.web.conftest import open_browser, site_of

__all__ = ["clock", "folder", "open_browser", "portal", "site_of", "template"]

StartServer = Callable[..., Server]


@pytest.fixture(scope="package")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Servers with settings of their own: `start_server(SOCKETS_PER_IP="3")`.

    They end with this package: an idle portal costs two percent of a core, which the browser tests after it need.
    """
    ensure_pages()
    started: list[Server] = []

    def start(**settings: str) -> Server:
        folder = tmp_path_factory.mktemp("attacked")
        server = Server(folder / "var", folder / "server.log", settings)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="package")
def attacked(start_server: StartServer) -> Server:
    return start_server()


@pytest.fixture
def server(attacked: Server) -> Iterator[Server]:
    """The common server; it must have survived the test."""
    attacked.assert_alive()
    yield attacked
    attacked.assert_alive()
