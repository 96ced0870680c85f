"""Reflex's states: which handlers exist, where a tab's state is kept, and how Reflex writes states as JSON."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import reflex as rx
from reflex.app import _sio_dumps, _sio_loads
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from reflex.state import FrontendEventExceptionState, OnLoadInternalState
from reflex_base.registry import RegistrationContext

# Every Reflex page calls these three handlers of Reflex itself.
_CALLED_BY_PAGES = (
    (rx.State, "hydrate_and_load"),
    (OnLoadInternalState, "on_load_internal"),
    (FrontendEventExceptionState, "handle_frontend_exception"),
)

# The `json` for Socket.IO: states hold values that plain JSON cannot write.
JSON = SimpleNamespace(dumps=staticmethod(_sio_dumps), loads=staticmethod(_sio_loads))


def handlers_of_pages(package: str) -> frozenset[str]:
    """Full names of the handlers that pages call: those of the states in a package, and Reflex's own three.

    Reflex registers more: `setvar` of every state, and handlers that only its own handlers call. No page calls these.
    """
    context = RegistrationContext.get()
    own = {
        name
        for name in context.event_handlers
        if not name.endswith(".setvar")
        and context.base_states[name.rpartition(".")[0]].__module__.startswith(f"{package}.")
    }
    return frozenset(own | {f"{state.get_full_name()}.{name}" for state, name in _CALLED_BY_PAGES})


def forget_state(token: str) -> bool:
    """Drop the state of a tab. Returns False while a handler uses it."""
    manager = RegistrationContext.get().app.state_manager
    return forget_state_in(manager, token)


def forget_state_in(manager: Any, token: str) -> bool:
    """Like `forget_state`, in one state manager. Only a manager in memory keeps states for ever; in Redis they expire."""
    if not isinstance(manager, StateManagerMemory):
        return True
    key = BaseStateToken(ident=token, cls=rx.State)
    lock = manager._states_locks.get(key.lock_key)
    if lock is not None and lock.locked():
        return False
    manager._purge_token(key)
    return True


def socket_of(state: rx.State) -> str:
    """The server's own id of the socket behind an event. Empty if there is none.

    Reflex builds its whole `router` at each use, so only this field is read.
    """
    sid = state.rx_router_session.session_id
    return sid if isinstance(sid, str) else ""
