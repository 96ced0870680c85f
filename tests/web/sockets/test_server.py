"""Whose a socket is, when the session ends at the very moment of its handshake."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import socketio  # type: ignore[import-untyped]

from medonline import bootstrap
from medonline.bootstrap import Portal
from medonline.framework.sockets import NAMESPACE
from medonline.services.crypto.tokens import token_hash
from medonline.storage.changes import Changes
from medonline.web.cookies import SESSION
from medonline.web.sockets.server import MAX_ENDED, GuardedServer

TOKEN = "s" * 43
KEY = token_hash(TOKEN)


@pytest.fixture
def sessions() -> Changes:
    """Tells of sessions that end."""
    return Changes()


@pytest.fixture
def handshake(portal: Portal, sessions: Changes, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[str]]:
    """The session of a socket whose handshake asks this; what the framework is told of it."""
    monkeypatch.setattr(bootstrap, "_portal", portal)
    visitors = Changes()

    async def shake(is_open: Callable[[], bool]) -> str:
        async def asked(session_key: str) -> bool:
            assert session_key == KEY
            return is_open()

        server = GuardedServer(json, frozenset, lambda _: True, asked, sessions.follow, visitors.follow)
        scope: dict[str, Any] = {"headers": [(b"cookie", f"{SESSION}={TOKEN}".encode())], "client": ("192.0.2.1", 1)}
        try:
            await server.take_handshake("a", {"asgi.scope": scope, "QUERY_STRING": "token=t"})
        except ConnectionError:
            assert server._visitors == {}
            assert sessions.listening == 0
            raise
        key = server._visitors["a"].session_key
        assert sessions.listening == (1 if key else 0)
        await server.take_end("a", "the test is over")
        assert sessions.listening + visitors.listening == 0
        return key

    return shake


async def test_a_socket_of_an_open_session_is_the_sessions(handshake: Callable[..., Awaitable[str]]) -> None:
    assert await handshake(lambda: True) == KEY


async def test_a_socket_of_a_session_that_is_over_is_nobodys(handshake: Callable[..., Awaitable[str]]) -> None:
    assert await handshake(lambda: False) == ""


async def test_a_session_that_ends_during_the_handshake_gets_no_socket(
    handshake: Callable[..., Awaitable[str]], sessions: Changes
) -> None:
    def ended_meanwhile() -> bool:
        sessions.tell([KEY])
        return True  # as the record said a moment ago

    assert await handshake(ended_meanwhile) == ""


async def test_the_end_of_another_session_during_the_handshake_changes_nothing(
    handshake: Callable[..., Awaitable[str]], sessions: Changes
) -> None:
    def another_ended() -> bool:
        sessions.tell([token_hash("another"), ""])
        return True

    assert await handshake(another_ended) == KEY


class Tabs(socketio.AsyncNamespace):  # type: ignore[misc]  # the library carries no types
    """What Reflex knows of sockets: the token of each, until it ends."""

    def __init__(self) -> None:
        super().__init__(NAMESPACE)
        self.sid_to_token: dict[str, str] = {}

    async def on_disconnect(self, sid: str) -> None:
        del self.sid_to_token[sid]


@pytest.mark.parametrize("last_words", [f"1{NAMESPACE},", ""], ids=["says that it goes", "without a word"])
async def test_only_the_last_tabs_that_went_keep_their_states(last_words: str) -> None:
    forgotten: list[str] = []

    def forget(token: str) -> bool:
        forgotten.append(token)
        return True

    async def nobody(_session_key: str) -> bool:
        return False

    server, tabs = GuardedServer(json, frozenset, forget, nobody, Changes().follow, Changes().follow), Tabs()
    server.register_namespace(tabs)
    for number in range(MAX_ENDED + 2):
        eio_sid = f"socket {number}"
        tabs.sid_to_token[await server.manager.connect(eio_sid, NAMESPACE)] = f"token {number}"
        if last_words:
            await server.take_packet(eio_sid, last_words)
        await server.take_end(eio_sid, "transport close")

    assert forgotten == ["token 0", "token 1"]
    assert tabs.sid_to_token == {}


async def test_without_the_record_there_is_no_handshake(handshake: Callable[..., Awaitable[str]]) -> None:
    def unreachable() -> bool:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await handshake(unreachable)
