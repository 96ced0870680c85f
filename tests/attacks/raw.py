"""A socket under an attacker's hand: a websocket and nothing above it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import websocket

from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.state.tab import FAILURE

NAMESPACE = "/_event"
STATE = "reflex___state____state"
HYDRATE = f"{STATE}.hydrate_and_load"
SHOW = f"{FAILURE}.show"
SIGN_OF_LIFE = "2"  # Engine.IO's ping
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass
class Raw:
    """Opened by `with`; never answers a ping and reads only when told to.

    receive_buffer: bytes that the kernel keeps for it; 0 leaves that to the kernel.
    closed_with: the code with which the server closed the socket, once that was heard; 0 when it said none.
    """

    server: Server
    path: str = f"{NAMESPACE}/?EIO=4&transport=websocket&token={{token}}"
    origin: str | None = ""
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    token: str = field(default_factory=lambda: str(uuid4()))
    heard: list[str] = field(default_factory=list)
    receive_buffer: int = 0
    closed_with: int = 0

    def __enter__(self) -> Raw:
        """Only the handshake.

        Raises:
            websocket.WebSocketBadStatusException: it is refused.
        """
        chosen = self.server.url if self.origin == "" else self.origin
        options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)] if self.receive_buffer else []
        self._socket = websocket.WebSocket(sockopt=options)
        self._socket.connect(
            f"ws://{urlsplit(self.server.url).netloc}{self.path.format(token=self.token)}",
            timeout=PATIENCE,
            suppress_origin=chosen is None,
            **({"origin": chosen} if chosen else {}),
            cookie=self.cookie or None,
            header=self.headers,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.shutdown()

    def join(self, auth: Any = None) -> Raw:
        """Enter the namespace as a page does."""
        self.send(f"40{NAMESPACE},{json.dumps(auth) if auth is not None else ''}")
        while not self.hear().startswith(f"40{NAMESPACE},"):
            pass
        return self

    def send(self, frame: str | bytes, opcode: int | None = None) -> bool:
        """Send a frame; whether the socket still took it."""
        kind = websocket.ABNF.OPCODE_BINARY if isinstance(frame, bytes) else websocket.ABNF.OPCODE_TEXT
        try:
            self._socket.send(frame, opcode if opcode is not None else kind)
        except (OSError, websocket.WebSocketException):
            return False
        return True

    def send_bytes(self, data: bytes) -> bool:
        """Put bytes on the wire below the websocket protocol."""
        try:
            self._socket.sock.sendall(data)
        except (OSError, AttributeError):
            return False
        return True

    def call(self, name: Any, payload: Any = None, **more: Any) -> bool:
        event = {"name": name, "payload": {} if payload is None else payload, "router_data": {"pathname": "/"}, **more}
        return self.send(f"42{NAMESPACE},{json.dumps(['event', event])}")

    def hear(self) -> str:
        """The next frame.

        Raises:
            EOFError: the server closed the socket.
        """
        try:
            opcode, said = self._socket.recv_data()
        except websocket.WebSocketTimeoutException:
            raise
        except (OSError, websocket.WebSocketException) as error:
            raise EOFError from error
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.closed_with = int.from_bytes(said[:2], "big")
            raise EOFError
        self.heard.append(said.decode("utf-8", "replace"))
        return self.heard[-1]

    def is_closed(self, within: float = PATIENCE) -> bool:
        """Read on until the server closes the socket; false when it asks for a sign of life instead, 10 s after the handshake.

        A socket that gives none is closed in the end, whatever it said before: that is no refusal. `within`: seconds of silence.
        """
        self._socket.settimeout(within)
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            try:
                while self.hear() != SIGN_OF_LIFE:
                    pass
            except EOFError:
                return True
        return False

    def serves(self) -> bool:
        """Whether the server still handles what this socket sends."""
        number = uuid4().hex[:6]
        if not self.call(SHOW, {"number": number}):
            return False
        try:
            while number not in self.hear():
                pass
        except EOFError:
            return False
        return True


def processes_of(server: Server) -> list[int]:
    """The ids of all processes of a server."""
    assert server._process is not None
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if os.getpgid(int(folder.name)) == server._process.pid:
                    found.append(int(folder.name))
    return found


def memory_of(server: Server) -> int:
    """Resident memory of all processes of a server, in KB."""
    pages = 0
    for process in processes_of(server):
        with contextlib.suppress(OSError, ValueError):
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * _PAGE_KB


def sockets_of(server: Server) -> int:
    """How many connections over TCP all processes of a server hold, those that wait to be closed included."""
    folders = [Path(f"/proc/{process}/fd") for process in processes_of(server)]
    mine = {link.readlink().name for folder in folders for link in folder.iterdir()}
    listening = "0A"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] != listening and f"socket:[{row[9]}]" in mine for row in rows)
