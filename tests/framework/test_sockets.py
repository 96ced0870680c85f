"""Facts of Socket.IO, Engine.IO and Reflex's namespace: which method is called for what, and what lies where."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engineio import packet as eio_packet
from engineio.async_drivers.asgi import translate_request
from engineio.async_socket import AsyncSocket
from reflex.app import EventNamespace
from socketio import packet

from medonline.framework.sockets import NAMESPACE, SocketServer, scope_of


class Noting(SocketServer):
    """Notes which hook is called, and goes no further."""

    def __init__(self) -> None:
        super().__init__(async_mode="asgi")
        self.taken: list[tuple[Any, ...]] = []

    async def take_handshake(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        self.taken.append(("handshake", eio_sid, environ))

    async def take_join(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        self.taken.append(("join", eio_sid, namespace, data))

    async def take_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        self.taken.append(("event", eio_sid, namespace, id, data))

    async def take_leave(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> Any:
        self.taken.append(("leave", eio_sid, namespace))

    async def take_end(self, eio_sid: str, reason: str) -> Any:
        self.taken.append(("end", eio_sid, reason))


@pytest.fixture
async def server() -> Noting:
    return Noting()


async def said(server: SocketServer, kind: int, data: Any, id: int | None = None) -> None:
    encoded = packet.Packet(kind, namespace=NAMESPACE, data=data, id=id).encode()
    await server.eio.handlers["message"]("socket", encoded)


async def test_a_handshake_is_handed_to_its_hook_with_what_the_client_sent(server: Noting) -> None:
    await server.eio.handlers["connect"]("socket", {"HTTP_HOST": "x"})

    assert server.taken == [("handshake", "socket", {"HTTP_HOST": "x"})]


async def test_a_connect_packet_is_a_join_with_its_event(server: Noting) -> None:
    await said(server, packet.CONNECT, {"event": {}})

    assert server.taken == [("join", "socket", NAMESPACE, {"event": {}})]


async def test_an_event_comes_with_its_name_first_and_the_id_of_its_acknowledgement(server: Noting) -> None:
    await said(server, packet.EVENT, ["event", {"name": "n"}])
    await said(server, packet.EVENT, ["event", {}], id=7)

    assert server.taken == [
        ("event", "socket", NAMESPACE, None, ["event", {"name": "n"}]),
        ("event", "socket", NAMESPACE, 7, ["event", {}]),
    ]


async def test_an_end_is_handed_to_its_hook_with_its_reason(server: Noting) -> None:
    await server.eio.handlers["disconnect"]("socket", "transport close")

    assert server.taken == [("end", "socket", "transport close")]


async def test_a_tab_that_says_that_it_goes_leaves_the_namespace(server: Noting) -> None:
    await said(server, packet.DISCONNECT, None)

    assert server.taken == [("leave", "socket", NAMESPACE)]


async def test_a_socket_that_ends_without_a_word_leaves_the_namespace_that_it_joined() -> None:
    left: list[str | None] = []

    class Leaving(SocketServer):
        async def take_leave(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> Any:
            left.append(namespace)

    server = Leaving(async_mode="asgi")
    await server.manager.connect("socket", NAMESPACE)
    await server.eio.handlers["disconnect"]("socket", "transport close")

    assert left == [NAMESPACE]


async def test_a_hook_that_is_not_extended_is_the_librarys_own() -> None:
    plain = SocketServer(async_mode="asgi")
    await plain.take_handshake("socket", {"HTTP_HOST": "x"})

    assert plain.environ == {"socket": {"HTTP_HOST": "x"}}


async def test_the_manager_knows_which_socket_joined_the_namespace_as_whom(server: Noting) -> None:
    sid = await server.manager.connect("socket", NAMESPACE)

    assert server.eio_sid_of(sid) == "socket"
    assert server.eio_sid_of("of another") == ""
    assert server.manager.sid_from_eio_sid("socket", NAMESPACE) == sid


async def test_reflex_keeps_the_token_of_each_tab_in_its_namespace(server: Noting) -> None:
    assert server.token_of("socket") == ""
    reflex = EventNamespace(NAMESPACE, None)
    server.register_namespace(reflex)
    sid = await server.manager.connect("socket", NAMESPACE)
    assert server.token_of("socket") == ""

    reflex.sid_to_token[sid] = "token"

    assert server.token_of("socket") == "token"


async def test_what_waits_for_a_client_is_in_its_sockets_queue(server: Noting) -> None:
    server.eio.sockets["socket"] = socket = AsyncSocket(server.eio, "socket")
    await socket.send(eio_packet.Packet(eio_packet.MESSAGE, data="answer"))

    assert server.unread_of("socket") == 1
    assert server.unread_of("of another") == 0


async def test_nothing_in_the_queue_is_the_end_of_the_writer_after_what_waits(server: Noting) -> None:
    server.eio.sockets["socket"] = socket = AsyncSocket(server.eio, "socket")
    answer = eio_packet.Packet(eio_packet.MESSAGE, data="answer")
    await socket.send(answer)
    reader = asyncio.create_task(asyncio.Event().wait())
    await server.end("socket", reader)

    assert (await socket.poll())[0] is answer
    assert await socket.poll() == []  # the writer stops at that
    assert socket.closed
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert "socket" not in server.eio.sockets


async def test_a_handshake_carries_its_asgi_scope() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(_message: dict[str, Any]) -> None: ...

    scope = {"type": "websocket", "path": "/_event", "query_string": b"", "headers": [(b"host", b"x")]}

    assert scope_of(await translate_request(scope, receive, send)) is scope
    assert scope_of({}) == {}
