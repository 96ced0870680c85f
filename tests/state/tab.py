"""A tab as the wire sees it: Engine.IO and Socket.IO frames over a websocket, without the library's good manners."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import reflex as rx
import websocket

from medonline.state.account import AccountState
from medonline.state.failures import FailureState
from medonline.state.login import LoginState
from medonline.state.password_recovery.state import RecoveryState
from tests.patience import PATIENCE

# As the pages name them: a state that moves to another module is another name on the wire.
ROOT = rx.State.get_full_name()
RECOVERY = RecoveryState.get_full_name()
ACCOUNT = AccountState.get_full_name()
LOGIN = LoginState.get_full_name()
FAILURE = FailureState.get_full_name()
NAMESPACE = "/_event"


class Closed(Exception):
    """The server closed the socket."""


def visitor_cookies(url: str) -> dict[str, str]:
    """What a browser has after it opened the start page."""
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as http:
        http.get("/").raise_for_status()
        return dict(http.cookies)


@dataclass
class Tab:
    """One socket. `said` keeps every frame the server sent."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = field(default_factory=lambda: str(uuid4()))
    path: str = "/recovery"
    said: list[str] = field(default_factory=list)
    _socket: websocket.WebSocket | None = None
    _sent_at: float = 0.0

    def open(self, origin: str | None = "", auth: dict[str, Any] | None = None) -> Tab:
        """Handshake and connect to the namespace; `origin` "" is the portal's own, None sends none."""
        socket = websocket.WebSocket()
        chosen = self.url if origin == "" else origin
        socket.connect(
            f"ws://{urlsplit(self.url).netloc}{NAMESPACE}/?EIO=4&transport=websocket&token={self.token}",
            timeout=PATIENCE,
            suppress_origin=chosen is None,
            **({"origin": chosen} if chosen else {}),
            cookie="; ".join(f"{name}={value}" for name, value in self.cookies.items()) or None,
        )
        self._socket = socket
        assert self._receive().startswith("0")
        self.send_raw(f"40{NAMESPACE},{json.dumps(auth or {})}")
        while not self._receive().startswith(f"40{NAMESPACE},"):
            pass
        return self

    def send_raw(self, frame: str) -> None:
        assert self._socket is not None
        if frame != "3":
            self._sent_at = time.monotonic()
        try:
            self._socket.send(frame)
        except OSError as error:
            raise Closed from error

    def emit(self, event: str, *data: Any) -> None:
        self.send_raw(f"42{NAMESPACE},{json.dumps([event, *data], ensure_ascii=False)}")

    def call(self, handler: str, **payload: Any) -> None:
        """Send an event as Reflex's own client does."""
        router_data = {"pathname": self.path, "query": {}, "asPath": self.path}
        self.emit("event", {"name": handler, "payload": payload, "router_data": router_data})

    def next_delta(self) -> dict[str, Any]:
        """The next change of state the server sends."""
        while True:
            frame = self._receive()
            if frame.startswith(f"42{NAMESPACE},"):
                name, update = json.loads(frame.removeprefix(f"42{NAMESPACE},"))
                if name == "event" and update.get("delta"):
                    return dict(update["delta"])

    def wait_for(self, state: str, variable: str, value: Any = ...) -> Any:
        """Read until the server sends this variable (with this value)."""
        while True:
            sent = self.next_delta().get(state, {})
            name = f"{variable}_rx_state_"
            if name in sent and value in (..., sent[name]):
                return sent[name]

    def shown(self, state: str, variable: str) -> Any:
        """The last value of this variable that the server sent over any socket of the tab; None when it sent none."""
        frames = [frame for frame in self.said if frame.startswith(f"42{NAMESPACE},")]
        updates = [json.loads(frame.removeprefix(f"42{NAMESPACE},")) for frame in frames]
        deltas = [update["delta"] for name, update in updates if name == "event" and update.get("delta")]
        values = [
            delta[state][f"{variable}_rx_state_"] for delta in deltas if f"{variable}_rx_state_" in delta.get(state, {})
        ]
        return values[-1] if values else None

    def settle(self) -> None:
        """Wait until everything sent before has been handled: a failure's number is shown and taken away again."""
        number = uuid4().hex[:6]
        self.call(f"{FAILURE}.show", number=number)
        while number not in self.wait_for(FAILURE, "text"):
            pass

    def wait_until_closed(self) -> None:
        try:
            while True:
                self._receive()
        except Closed:
            return

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Tab:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _receive(self) -> str:
        assert self._socket is not None
        while True:
            try:
                frame = self._socket.recv()
            except (websocket.WebSocketConnectionClosedException, OSError) as error:
                if isinstance(error, websocket.WebSocketTimeoutException | TimeoutError):
                    raise
                raise Closed from error
            text = frame if isinstance(frame, str) else frame.decode()
            if text == "":
                raise Closed
            self.said.append(text)
            if text == "2":  # pings keep coming while an answer does not
                assert time.monotonic() < self._sent_at + PATIENCE, f"no answer; the server said {self.said[-3:]}"
                self.send_raw("3")
            elif text.startswith(f"41{NAMESPACE}") or text == "1":
                raise Closed
            else:
                return text
