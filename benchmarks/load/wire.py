"""A tab's socket, speaking like the app itself: Engine.IO and Socket.IO frames over a websocket, with the names of the states."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACE = "/_event"
# The names in the pages. They are written out here, not read from the classes, because another checkout may be measured.
ROOT = "reflex___state____state"
RECOVERY = f"{ROOT}.medonline___state___password_recovery___state____recovery_state"
LOGIN = f"{ROOT}.medonline___state___login____login_state"
ACCOUNT = f"{ROOT}.medonline___state___account____account_state"
FAILURE = f"{ROOT}.medonline___state___failures____failure_state"
CARDS = f"{ROOT}.medonline___state___patient_cards____cards_state"
PAGE_LOAD = f"{ROOT}.reflex___state____on_load_internal_state.on_load_internal"
# Variables in which the portal complains to a patient instead of continuing.
COMPLAINTS = ((RECOVERY, "error"), (LOGIN, "error"), (FAILURE, "text"))

PATIENCE_S = 60.0
_TEXT, _CLOSE = 1, 8
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


class Failed(Exception):
    """The portal did not do what the step needs. The text says what it did, in the portal's own words if it spoke."""


class Refused(Failed):
    """The portal refuses, with these words."""


class Closed(Failed):
    """The server closed the socket."""


def need(good: object, what: str) -> None:
    """Raises:
    Failed: it is not good.
    """
    if not good:
        raise Failed(what)


@dataclass(frozen=True)
class Shown:
    """A variable of a state that must be sent with a value that passes the test."""

    state: str
    variable: str
    passes: Callable[[Any], object]


def anything(_value: object) -> bool:
    """Every value passes."""
    return True


LOADED = Shown(ROOT, "is_hydrated", lambda value: value is True)


class Tab:
    """One websocket of one page. The token belongs to the tab: when the app replaces one page with another, the tab keeps it."""

    def __init__(self, port: int, cookies: Mapping[str, str], path: str, token: str) -> None:
        self.port, self.cookies, self.path, self.token = port, cookies, path, token
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> Tab:
        """Shake hands, connect to the namespace and request the page, as the app does.

        Raises:
            Failed: the portal refuses the socket.
            OSError, EOFError: there is no portal, or it goes away.
        """
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        origin = f"127.0.0.1:{self.port}"
        head = (
            f"GET {NAMESPACE}/?token={self.token}&EIO=4&transport=websocket HTTP/1.1",
            f"Host: {origin}",
            f"Origin: http://{origin}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            f"Cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}",
            f"User-Agent: {_BROWSER}",
        )
        self._writer.write("\r\n".join((*head, "", "")).encode())
        answer = await self._reader.readuntil(b"\r\n\r\n")
        need(b" 101 " in answer[:20], f"the socket is refused: {answer[:40]!r}")
        need((await self.hear()).startswith("0"), "no handshake of Engine.IO")
        self._send(f"40{NAMESPACE},{json.dumps({'event': self._event(f'{ROOT}.hydrate_and_load', {'hashes': []})})}")
        return self

    def call(
        self, handler: str, form: Mapping[str, str] | None = None, arguments: Mapping[str, str] | None = None
    ) -> None:
        """Call a handler with a form, as the page submits it, or with arguments."""
        payload: object = arguments
        if form is not None:
            payload = {"form": {"__reflex_form_data__": [list(pair) for pair in form.items()]}}
        packet = json.dumps(["event", self._event(handler, payload)], ensure_ascii=False, separators=(",", ":"))
        self._send(f"42{NAMESPACE},{packet}")

    async def until(self, *wanted: Shown) -> dict[Shown, Any]:
        """Read until each of `wanted` was sent. Returns their values.

        Raises:
            Refused: the portal refuses instead.
            Closed: the server closed the socket.
            TimeoutError: a value was not sent within `PATIENCE_S`.
        """
        missing, found = set(wanted), dict[Shown, Any]()
        async with asyncio.timeout(PATIENCE_S):
            while missing:
                delta = (await self._update()).get("delta") or {}
                for one in list(missing):
                    value = _value(delta, one)
                    if value is not ... and one.passes(value):
                        found[one] = value
                        missing.remove(one)
                for state, variable in COMPLAINTS:
                    if complaint := delta.get(state, {}).get(f"{variable}_rx_state_"):
                        raise Refused(complaint)
        return found

    async def shows_when_loaded(self, shown: Shown) -> bool:
        """Read until the page is loaded. Returns whether the last value of this variable passes.

        Raises:
            Closed: the server closed the socket.
            TimeoutError: the page is not loaded within `PATIENCE_S`.
        """
        shows = loaded = False
        async with asyncio.timeout(PATIENCE_S):
            while not loaded:
                delta = (await self._update()).get("delta") or {}
                if (value := _value(delta, shown)) is not ...:
                    shows = bool(shown.passes(value))
                loaded = bool(LOADED.passes(_value(delta, LOADED)))
        return shows

    async def settle(self) -> None:
        """Load the page once more. When it is loaded, the calls before have finished, whatever the portal answered."""
        self.call(PAGE_LOAD)
        async with asyncio.timeout(PATIENCE_S):
            while not LOADED.passes(_value((await self._update()).get("delta") or {}, LOADED)):
                pass

    async def led_to(self) -> str:
        """The path to which the portal sends the tab.

        Raises:
            TimeoutError: it sends the tab nowhere within `PATIENCE_S`.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in (await self._update()).get("events") or ():
                    if event["name"] == "_redirect":
                        return str(event["payload"]["path"])

    async def hear(self) -> str:
        """The next text from the server. Its pings are answered."""
        while True:
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
            data = await self._reader.readexactly(size)
            if first & 0x0F == _CLOSE:
                said = f"{int.from_bytes(data[:2], 'big')} {data[2:].decode(errors='replace')}"
                raise Closed(f"the server closed the socket: {said}")
            if first & 0x0F != _TEXT:
                continue
            text = data.decode()
            if text != "2":
                return text
            self._send("3")

    def close(self) -> None:
        """Leave the namespace and close the socket. A second call does nothing."""
        if self._writer is not None:
            self._send(f"41{NAMESPACE},")
        self.drop()

    def drop(self) -> None:
        """Close the socket without leaving the namespace. A second call does nothing."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _update(self) -> dict[str, Any]:
        """The next update of the states. Empty when the server sent something else."""
        frame, prefix = await self.hear(), f"42{NAMESPACE},"
        if not frame.startswith(prefix):
            return {}
        name, *values = json.loads(frame[len(prefix) :])
        return values[0] if name == "event" else {}

    def _event(self, name: str, payload: object = None) -> dict[str, Any]:
        event: dict[str, Any] = {"name": name, "router_data": {"pathname": self.path, "asPath": self.path}}
        return event if payload is None else event | {"payload": payload}

    def _send(self, text: str) -> None:
        """Send one masked text frame."""
        if self._writer is None:
            raise Closed("the tab is closed")
        data, mask = text.encode(), secrets.token_bytes(4)
        size = len(data)
        head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
        pad = (mask * (size // 4 + 1))[:size]
        self._writer.write(
            head + mask + (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
        )


def _value(delta: dict[str, dict[str, Any]], one: Shown) -> Any:
    """The value of a variable in a change of the states; `...` if it is not there."""
    return delta.get(one.state, {}).get(f"{one.variable}_rx_state_", ...)
