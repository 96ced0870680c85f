"""The parts of uvicorn and websockets that the wire leans on, and what their own classes do, which is why there is a wire.

Neither is promised. Both packages are pinned: anyone who takes a newer version reads here what must still be true.
"""

from __future__ import annotations

import asyncio
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import h11
import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame
from websockets.protocol import State
from websockets.server import ServerProtocol

from medonline.web.wire.http import MAX_HEAD
from medonline.web.wire.websocket import GuardedWebSocket
from tests.web.wire.served import CONTINUED, PING, TEXT, frame, handshake

ROOT = Path(__file__).resolve().parents[3]


def opened(maximum: int = 65536) -> ServerProtocol:
    """A websocket of the library whose handshake is over."""
    conn = ServerProtocol(max_size=maximum)
    conn.receive_data(handshake())
    (request,) = conn.events_received()
    conn.send_response(conn.accept(request))  # type: ignore[arg-type]
    conn.data_to_send()
    return conn


@pytest.fixture
async def stock() -> WebSocketsSansIOProtocol:
    config = uvicorn.Config("none:app", ws_per_message_deflate=False, log_config=None, interface="asgi3")
    config.loaded, config.loaded_app = True, MagicMock()
    protocol = WebSocketsSansIOProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    transport = MagicMock()
    transport.is_closing.return_value = False
    protocol.connection_made(transport)
    return protocol


@pytest.mark.parametrize("package", ["uvicorn", "websockets"])
def test_the_version_is_the_pinned_one(package: str) -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"{package}=={version(package)}" in wanted
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert f"\n{package}=={version(package)} \\\n" in (ROOT / lock).read_text()


# --- websockets -------------------------------------------------------------------------------------------------------


def test_frames_that_were_parsed_wait_in_events_until_they_are_fetched() -> None:
    conn = opened()
    conn.receive_data(frame(TEXT, b"a", last=False) + frame(PING))
    assert [type(one) for one in conn.events] == [Frame, Frame]
    assert conn.events_received() != [] == conn.events


def test_the_parser_keeps_what_is_unfinished_in_the_buffer_of_its_reader() -> None:
    conn = opened()
    conn.receive_data(frame(TEXT, b"x" * 1000)[:-1])
    assert len(conn.reader.buffer) == 999
    assert conn.events == []


def test_a_message_that_is_announced_too_long_stops_the_parser_before_it_arrives() -> None:
    conn = opened(maximum=100)
    conn.receive_data(frame(TEXT, b"x" * 60, last=False) + frame(CONTINUED, b"x" * 60)[:6])
    assert conn.parser_exc is not None
    assert conn.close_sent is not None
    assert conn.close_sent.code == 1009


def test_fail_says_a_close_frame_once_and_reads_nothing_after_it() -> None:
    conn = opened()
    conn.fail(1008)
    assert conn.close_sent is not None
    assert (conn.close_sent.code, conn.state) == (1008, State.CLOSING)
    assert conn.data_to_send() == [b"\x88\x02\x03\xf0", b""]
    conn.receive_data(frame(TEXT, b"later"))
    assert conn.events == []
    assert len(conn.reader.buffer) == 0


def test_a_refused_handshake_is_told_by_handshake_exc_and_no_event() -> None:
    conn = ServerProtocol()
    conn.receive_data(handshake(**{f"X-{number}": "y" for number in range(200)}))
    assert conn.handshake_exc is not None
    assert conn.events_received() == []
    assert conn.data_to_send()[0].startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(("longer", "refused"), [(0, False), (1, True)])
def test_a_line_of_a_head_may_be_as_long_as_the_head(longer: int, refused: bool) -> None:
    conn = ServerProtocol()
    conn.receive_data(handshake(X=("y" * (MAX_HEAD - len("X: \r\n") + longer))))
    assert (conn.handshake_exc is not None) == refused


# --- uvicorn ----------------------------------------------------------------------------------------------------------

OVERRIDDEN = {
    WebSocketsSansIOProtocol: (
        "data_received(self, data)",
        "handle_cont(self, event)",
        "handle_ping(self)",
        "send_receive_event_to_app(self)",
        "shutdown(self)",
        "run_asgi(self)",
        "connection_lost(self, exc)",
        "handle_events(self)",
    ),
    H11Protocol: (
        "connection_made(self, transport)",
        "connection_lost(self, exc)",
        "data_received(self, data)",
        "handle_events(self)",
        "handle_websocket_upgrade(self, event)",
        "on_response_complete(self)",
        "pause_writing(self)",
        "resume_writing(self)",
    ),
    uvicorn.Server: (
        "shutdown(self, sockets)",
        "capture_signals(self)",
        "handle_exit(self, sig, frame)",
        "on_tick(self, counter)",
    ),
}


@pytest.mark.parametrize(("kind", "methods"), OVERRIDDEN.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_the_methods_are_there(kind: type, methods: tuple[str, ...]) -> None:
    found = {
        f"{name}({', '.join(inspect.signature(function).parameters)})"
        for name, function in inspect.getmembers(kind, inspect.isfunction)
    }
    assert set(methods) <= found


async def test_the_fields_of_a_websocket_are_there(stock: WebSocketsSansIOProtocol) -> None:
    assert (stock.handshake_initiated, stock.handshake_complete, stock.close_sent, stock.disconnected) == (False,) * 4
    assert (stock.read_paused, stock.frames, stock.close_timer) == (False, [], None)
    assert stock.close_timeout == 10.0
    assert stock.writable.is_set()
    assert stock.queue.empty()
    assert isinstance(stock.conn, ServerProtocol)


async def test_the_stock_class_says_nothing_to_a_handshake_that_the_library_refuses(
    stock: WebSocketsSansIOProtocol,
) -> None:
    stock.data_received(handshake(**{f"X-{number}": "y" for number in range(200)}))
    transport: Any = stock.transport
    transport.write.assert_not_called()
    transport.close.assert_not_called()


async def test_the_stock_class_keeps_fragments_one_by_one_and_without_number(stock: WebSocketsSansIOProtocol) -> None:
    stock.conn, stock.handshake_initiated = opened(), True
    stock.data_received(frame(TEXT, last=False) + frame(CONTINUED, last=False) * 10_000)
    assert len(stock.frames) == 10_001


async def test_the_stock_class_answers_every_ping(stock: WebSocketsSansIOProtocol) -> None:
    stock.conn, stock.handshake_initiated = opened(), True
    stock.data_received(frame(PING) * 10_000)
    transport: Any = stock.transport
    assert sum(len(call.args[0]) for call in transport.write.call_args_list) == 2 * 10_000


async def test_a_connection_knows_whether_its_answer_is_whole() -> None:
    config = uvicorn.Config("none:app", log_config=None, interface="asgi3")
    config.loaded, config.loaded_app, config.ws_protocol_class = True, MagicMock(), GuardedWebSocket
    protocol = H11Protocol(config, ServerState(), {}, asyncio.get_running_loop())
    assert protocol.cycle is None
    assert isinstance(protocol.conn, h11.Connection)
    assert "response_complete" in inspect.getsource(H11Protocol.shutdown)
