from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.server import MEDONLINE, Server, environment
from tests.services.conftest import clock, folder, portal, template

__all__ = ["clock", "folder", "portal", "template"]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The portal behind a real socket, with its own data folder; it ends with this package."""
    built = subprocess.run([str(MEDONLINE), "build"], env=environment(), capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    folder = tmp_path_factory.mktemp("portal")
    server = Server(folder / "var", folder / "server.log")
    server.start()
    yield server
    server.stop()
