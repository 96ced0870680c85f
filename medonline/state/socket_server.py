"""The process's socket server and its life: what starts with the first request and stops with the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from types import SimpleNamespace

import reflex as rx
from reflex.app import _sio_dumps, _sio_loads
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from reflex.state import FrontendEventExceptionState, OnLoadInternalState
from reflex_base.registry import RegistrationContext

from medonline.bootstrap import portal, running
from medonline.logs.setup import set_up
from medonline.web.sockets.server import GuardedServer

# Of Reflex's own handlers pages call these three by themselves.
_REFLEX_HANDLERS = (
    (rx.State, "hydrate_and_load"),
    (OnLoadInternalState, "on_load_internal"),
    (FrontendEventExceptionState, "handle_frontend_exception"),
)


@cache
def callable_handlers() -> frozenset[str]:
    """The names of the handlers that a client may call, of the states that are registered when a socket first asks.

    Reflex registers more: `setvar` of every state, and what its own handlers call. None of these is called by a page.
    """
    context = RegistrationContext.get()
    own = {
        name
        for name in context.event_handlers
        if not name.endswith(".setvar")
        and context.base_states[name.rpartition(".")[0]].__module__.startswith("medonline.")
    }
    return frozenset(own | {f"{state.get_full_name()}.{name}" for state, name in _REFLEX_HANDLERS})


def _forget(token: str) -> bool:
    manager = RegistrationContext.get().app.state_manager
    if not isinstance(manager, StateManagerMemory):
        return True  # a store of its own lets states expire by itself
    key = BaseStateToken(ident=token, cls=rx.State)
    lock = manager._states_locks.get(key.lock_key)
    if lock is not None and lock.locked():
        return False
    manager._purge_token(key)
    return True


async def _is_open(session_key: str) -> bool:
    return await portal().sessions.time_left(session_key) is not None


# Reflex serialises states its own way; its functions have no public name.
sockets = GuardedServer(
    SimpleNamespace(dumps=staticmethod(_sio_dumps), loads=staticmethod(_sio_loads)),
    callable_handlers,
    _forget,
    _is_open,
    lambda session_key, act: portal().sessions.when_over(session_key, act),
    lambda visitor_key, act: portal().visitors.when_renamed(visitor_key, act),
)


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Run the portal behind the site."""
    set_up(portal().config.log_level, portal().config.log_format)
    async with running(portal()):
        yield
