"""What Reflex does by itself, tried out in a process of its own; run by `test_framework_facts`, prints JSON."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any

import reflex as rx
import reflex_base
from reflex.app import EventNamespace
from reflex.istate.manager.disk import StateManagerDisk
from reflex.istate.manager.redis import StateManagerRedis
from reflex.utils.token_manager import LocalTokenManager
from reflex_base.config import Config
from reflex_base.environment import environment
from reflex_base.event.processor.base_state_processor import _prepare_event_payload
from reflex_base.registry import RegistrationContext

ACTIONS = Path(reflex_base.__file__).parent / ".templates/web/utils/state.js"


class Probe(rx.State):
    """A state as a careless hand writes it."""

    def public(self, number: int) -> None:
        """No decorator."""

    def _private(self) -> None:
        """A helper."""


class Namespace(EventNamespace):
    """Notes what it takes for a handshake."""

    def __init__(self) -> None:
        self.handshakes: list[Any] = []

    async def on_connect(self, sid: str, environ: Any, auth: Any = None) -> None:
        self.handshakes.append(environ)


async def forged_connect() -> list[Any]:
    """What an emitted event named `connect` leads to."""
    namespace = Namespace()
    await namespace.trigger_event("connect", "sid", {"HTTP_COOKIE": "forged"})
    return namespace.handshakes


async def second_socket() -> list[str | None]:
    """The token of a tab whose first socket is not known to be dead."""
    tokens = LocalTokenManager()
    return [await tokens.link_token_to_sid("token", sid) for sid in ("first", "second")]


def odd_payload() -> dict[str, Any]:
    """What a handler annotated with `int` is given for a value that is none, and what is logged of it."""
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger(_prepare_event_payload.__module__).addHandler(listener)
    logging.getLogger(_prepare_event_payload.__module__).setLevel(logging.WARNING)
    handler = next(
        registered.handler
        for name, registered in RegistrationContext.get().event_handlers.items()
        if name.endswith("probe.public")
    )
    given = _prepare_event_payload(handler, {"number": "canary-of-a-patient"})
    return {"given": given["number"], "logged": any("canary-of-a-patient" in text for text in said)}


def main() -> None:
    """Print the facts."""
    handlers = {name.rpartition(".")[2] for name in RegistrationContext.get().event_handlers if "probe" in name.lower()}
    actions = ACTIONS.read_text(encoding="utf-8")
    redirects = [rx.redirect(path) for path in ("javascript:alert(1)", "//evil.example", "https://evil.example")]
    facts = {
        "version": version("reflex"),
        "forged connect": asyncio.run(forged_connect()),
        "handlers": sorted(handlers),
        "token": [word for word in ("Math.random()", "sessionStorage") if word in actions],
        "cors": list(Config(app_name="x").cors_allowed_origins),
        "redirects": [str(one.args[0][1]) for one in redirects],
        "state manager": str(Config(app_name="x").state_manager_mode.value),
        "pickled": [
            kind.__name__ for kind in (StateManagerDisk, StateManagerRedis) if "pickle_state" in inspect.getsource(kind)
        ],
        "odd payload": odd_payload(),
        "second socket": asyncio.run(second_socket()),
        "eval": [name for name in ("_call_function", "_call_script") if f'"{name}"' in actions]
        if "eval(" in actions
        else [],
        "prebuilt": [
            getattr(environment, name).name
            for name in ("REFLEX_ENV_MODE", "REFLEX_SKIP_COMPILE", "REFLEX_MOUNT_FRONTEND_COMPILED_APP")
        ],
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
