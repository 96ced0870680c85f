"""A portal that cannot start says why."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from medonline.state import socket_server


async def test_what_stops_a_start_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def running(_portal: object) -> AsyncIterator[None]:
        msg = "Address already in use"
        raise OSError(msg)
        yield

    config = SimpleNamespace(log_level="info", log_format="text")
    monkeypatch.setattr(socket_server, "portal", lambda: SimpleNamespace(config=config))
    monkeypatch.setattr(socket_server, "running", running)
    monkeypatch.setattr(socket_server, "set_up", lambda *_: None)

    with caplog.at_level(logging.ERROR), pytest.raises(OSError, match="Address already in use"):
        async with socket_server.lifespan():
            pass

    (told,) = caplog.records
    assert told.getMessage() == "The portal cannot start"
    assert told.exc_info is not None
    assert told.exc_info[0] is OSError
