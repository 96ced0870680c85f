"""The process's socket server, and what starts and stops with the process."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache

from medonline.bootstrap import portal, running
from medonline.framework.states import JSON, forget_state, handlers_of_pages
from medonline.logs.setup import set_up
from medonline.web.sockets.server import GuardedServer

log = logging.getLogger(__name__)


@cache
def callable_handlers() -> frozenset[str]:
    """The names of the handlers that a client may call. It reads the states that are registered when the first socket asks."""
    return handlers_of_pages("medonline")


async def _is_open(session_key: str) -> bool:
    return await portal().sessions.time_left(session_key) is not None


sockets = GuardedServer(
    JSON,
    callable_handlers,
    forget_state,
    _is_open,
    lambda session_key, act: portal().sessions.when_over(session_key, act),
    lambda visitor_key, act: portal().visitors.when_renamed(visitor_key, act),
)


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Run the portal behind the site."""
    set_up(portal().config.log_level, portal().config.log_format)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(running(portal()))
        except Exception:
            # A filter drops the server's own line, which would quote the error (`logs.setup.WithoutPayloads`).
            log.exception("The portal cannot start")
            raise
        yield
