"""The process's socket server and its life: what starts with the first request and stops with the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

from reflex.app import _sio_dumps, _sio_loads

from medonline import logs
from medonline.bootstrap import portal, running
from medonline.web.sockets import GuardedServer

# Reflex serialises states its own way; its functions have no public name.
sockets = GuardedServer(SimpleNamespace(dumps=staticmethod(_sio_dumps), loads=staticmethod(_sio_loads)))


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Run the portal behind the site."""
    logs.set_up(portal().config.log_level, portal().config.log_format)
    portal().sessions_ended.append(sockets.close_sessions)
    async with running(portal()):
        yield
