"""What a tab may say over its socket: Engine.IO 4 and Socket.IO 5 as Reflex's own client writes them, and nothing else.

The protocols allow more (binary parts, acknowledgements, other namespaces, polling probes). With each of these a client can make the
libraries keep something or write a log. The portal's pages use none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from enum import StrEnum
from typing import Any

from medonline.framework.sockets import NAMESPACE

MAX_FRAME = 64 * 1024  # bytes
MAX_DEPTH = 8  # levels of nesting; an honest form has three
MAX_ADDRESS = 4096  # characters of a page's address
# Reflex's name for the parts of an address that belongs to no page.
UNKNOWN_ADDRESS = "splat"
_FRAME = re.compile(rf"(?:(?P<bare>[13])|4(?P<kind>[012]){re.escape(NAMESPACE)},(?P<body>.*))", re.DOTALL)
_STARTS_WITH = {"0": ("", "{"), "1": ("",), "2": ("[",)}
_EVENT_KEYS = frozenset({"name", "payload", "event_actions", "router_data"})
_ROUTER_KEYS = frozenset({"pathname", "asPath", "query"})
_JOIN_KEYS = frozenset({"event", "state_schema"})

# The names of the handlers that a client may call. It is a function, because the screens are imported after the server is made.
Handlers = Callable[[], Container[str]]


class Refused(Exception):
    """The socket must be closed. The text says why, and quotes nothing from the client."""


class Frame(StrEnum):
    """The kind of a frame."""

    END = "1"
    PONG = "3"
    JOIN = "40"
    LEAVE = "41"
    EVENT = "42"


def kind_of(text: str | None) -> Frame:
    """The kind of a frame, judged by its first characters alone.

    Raises:
        Refused: the frame is binary (`text` is None), longer than 64 KB, or not one that the portal's pages send.
    """
    if text is None:
        raise Refused("a binary frame")
    if len(text) > MAX_FRAME or (not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > MAX_FRAME):
        raise Refused("a frame over 64 KB")
    match = _FRAME.fullmatch(text)
    if match is None:
        raise Refused("a frame no page of the portal sends")
    if match["bare"]:
        return Frame(match["bare"])
    if match["body"][:1] not in _STARTS_WITH[match["kind"]] or (match["kind"] == "1" and match["body"]):
        raise Refused("a frame no page of the portal sends")
    return Frame(f"4{match['kind']}")


def check_join(auth: Any, handlers: Container[str]) -> None:
    """Check the data of the connect packet: at most one event and the version of the pages.

    Raises:
        Refused: it holds anything else.
    """
    if auth is None or auth == {}:
        return
    if not isinstance(auth, dict) or not _JOIN_KEYS.issuperset(auth):
        raise Refused("a first packet of another shape")
    schema = auth.get("state_schema")
    if schema is not None and not (isinstance(schema, str) and len(schema) <= 128):
        raise Refused("a first packet of another shape")
    if auth.get("event") is not None:
        check_event(auth["event"], handlers)


def check_packet(data: Any, handlers: Container[str]) -> None:
    """Check the list in an event packet: the event's name, then at most one value.

    Danger: Reflex's namespace takes an event named `connect` for a new handshake with the sender's headers.

    Raises:
        Refused: the portal does not have this event, or the list has another shape.
    """
    if not isinstance(data, list) or not 1 <= len(data) <= 2 or not isinstance(data[0], str):
        raise Refused("an event of another shape")
    name, value = data[0], data[1] if len(data) == 2 else None
    if name == "event":
        check_event(value, handlers)
    elif name == "client_error":
        if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
            raise Refused("an event of another shape")
    elif name != "ping" or value is not None:
        raise Refused("an event the portal does not have")


def check_event(event: Any, handlers: Container[str]) -> None:
    """Check a call of a handler.

    Raises:
        Refused: the call has another shape, or pages do not call this handler.
    """
    if not isinstance(event, dict) or not _EVENT_KEYS.issuperset(event):
        raise Refused("a call of another shape")
    name, payload = event.get("name"), event.get("payload", {})
    if not isinstance(name, str) or name not in handlers:
        raise Refused("a handler the portal does not have")
    if not isinstance(payload, dict) or not _is_shallow(payload) or not _is_address(event.get("router_data", {})):
        raise Refused("a call of another shape")
    if not _REFLEX_PAYLOADS.get(name.rpartition(".")[2], _anything)(payload):
        raise Refused("a call of another shape")


def _anything(payload: dict[str, Any]) -> bool:
    """Accept any payload: the portal's own handlers check their payloads themselves."""
    return True


def _is_hydration(payload: dict[str, Any]) -> bool:
    stored, hashes = payload.get("vars"), payload.get("hashes")
    return (
        {"vars", "hashes"}.issuperset(payload)
        and (stored is None or isinstance(stored, dict))
        and (hashes is None or (isinstance(hashes, list) and all(isinstance(one, str) for one in hashes)))
    )


def _is_page_failure(payload: dict[str, Any]) -> bool:
    return {"info", "component_stack"} == set(payload) and all(isinstance(text, str) for text in payload.values())


# Reflex's own handlers trust that a payload comes from Reflex's client. The names are those of state.socket_server.callable_handlers.
_REFLEX_PAYLOADS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "hydrate_and_load": _is_hydration,
    "on_load_internal": lambda payload: not payload,
    "handle_frontend_exception": _is_page_failure,
}


def _is_address(router_data: Any) -> bool:
    if not isinstance(router_data, dict) or not _ROUTER_KEYS.issuperset(router_data):
        return False
    query = router_data.get("query", {})
    if not isinstance(query, dict):
        return False
    texts = [router_data.get("pathname", ""), router_data.get("asPath", "")]
    # The page of an unknown address sends the parts of the address in a list. If it were refused, it would reconnect for ever.
    parts = query.get(UNKNOWN_ADDRESS)
    if isinstance(parts, list):
        query = query | {UNKNOWN_ADDRESS: ""}
        texts += parts
    return all(
        text is None or (isinstance(text, str) and len(text) <= MAX_ADDRESS) for text in (*texts, *query.values())
    )


def _is_shallow(value: Any) -> bool:
    """Whether a value is not nested too deeply. Deep nesting makes copies and comparisons cost far more than its size suggests."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return True
    return False
