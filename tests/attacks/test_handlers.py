"""Every handler, called by no one in particular with values of every wrong kind: no effect, nothing logged, still served."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
import reflex as rx
from reflex.state import FrontendEventExceptionState, OnLoadInternalState
from reflex_base.registry import RegistrationContext

import medonline.medonline  # registers every state
from medonline.state.socket_server import callable_handlers
from tests.attacks.raw import Raw
from tests.e2e.server import Server
from tests.state.watching import log_of, record

assert medonline.medonline.app

CANARY = "canary-2b9d"
LARGE = (CANARY * 6000)[:60_000]  # a frame takes 64 KB
# Reflex's own handlers: whatever its own client would not send ends the socket.
OF_REFLEX = {"hydrate_and_load", "on_load_internal", "handle_frontend_exception"}
FORM = ("phone", "code", "password", "channel")
VALUES: list[Any] = [
    None,
    0,
    -1.5,
    True,
    "",
    CANARY,
    f"\x00{CANARY}\x1b[31m\r\n",
    [],
    [CANARY],
    {},
    {"phone": CANARY},
    LARGE,
]
# Within the burst of one socket: two frames for each value, and what settles it.
assert 2 * len(VALUES) + 2 < 60


def parameters(handler: str) -> list[str]:
    registered = RegistrationContext.get().event_handlers[handler]
    return [name for name in inspect.signature(registered.handler.fn).parameters if name != "self"]


def shortened(value: Any, parts: int) -> Any:
    """So that all parts fit into one frame."""
    return LARGE[: len(LARGE) // parts] if value is LARGE else value


def test_what_reflex_registers_beside_the_portals_handlers_is_as_it_was() -> None:
    """A new version of Reflex that registers another handler is looked at before it is let through."""
    context = RegistrationContext.get()
    others = {
        name.rpartition(".")[2]
        for name in set(context.event_handlers) - callable_handlers()
        if not context.base_states[name.rpartition(".")[0]].__module__.startswith("tests.")
    }
    assert others == {"setvar", "hydrate", "set_is_hydrated", "update_vars_internal"}
    allowed_of_reflex = {name.rpartition(".")[2] for name in callable_handlers() if "medonline___" not in name}
    assert allowed_of_reflex == OF_REFLEX
    assert all(
        hasattr(state, "event_handlers") for state in (rx.State, OnLoadInternalState, FrontendEventExceptionState)
    )


@pytest.mark.parametrize("handler", sorted(callable_handlers()), ids=lambda name: ".".join(name.split(".")[-2:])[-50:])
def test_a_handler_called_by_nobody_with_anything_has_no_effect(server: Server, handler: str) -> None:
    before, logged = record(server), len(log_of(server))
    names = parameters(handler) or ["unexpected"]
    heard = ""
    if handler.rpartition(".")[2] in OF_REFLEX:
        for value in VALUES:
            with Raw(server) as attacker:
                attacker.join()
                assert attacker.call(handler, {**dict.fromkeys(names, shortened(value, len(names))), CANARY: ""})
                assert attacker.is_closed()
                heard += "".join(attacker.heard)
    else:
        with Raw(server) as attacker:
            attacker.join()
            for value in VALUES:
                assert attacker.call(handler, dict.fromkeys(names, shortened(value, len(names))))
                assert attacker.call(handler, {"form": dict.fromkeys(FORM, shortened(value, len(FORM)))})
            assert attacker.serves(), json.dumps(attacker.heard[-2:])[:400]
            heard = "".join(attacker.heard)
    news = log_of(server)[logged:]
    assert record(server) == before
    assert CANARY not in news
    assert "Traceback" not in news
    assert CANARY * 100 not in heard


def test_what_a_browser_says_of_its_failure_is_not_written_down(server: Server) -> None:
    """A page's error may hold what a patient typed, and anybody may send one."""
    logged = len(log_of(server))
    handler = next(name for name in callable_handlers() if name.endswith(".handle_frontend_exception"))
    with Raw(server) as attacker:
        attacker.join()
        assert attacker.call(handler, {"info": f"RangeError: {CANARY}\r\n\x1b[31m", "component_stack": CANARY})
        assert attacker.serves()
        assert CANARY not in "".join(attacker.heard)
    news = log_of(server)[logged:]
    assert "A page failed in a browser: RangeError" in news
    assert CANARY not in news
    assert "\x1b" not in news
