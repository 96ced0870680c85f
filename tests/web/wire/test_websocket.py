"""What a peer can make a websocket hold or do, and how it ends."""

from __future__ import annotations

import logging

import pytest

from medonline.web.sockets.frames import MAX_FRAME
from medonline.web.wire import websocket
from tests.web.wire.served import BINARY, CONTINUED, PING, PONG, TEXT, Served, Wire, frame, handshake, served

MEGABYTE = 1024 * 1024


def bytes_held(one: Served) -> int:
    """Of unfinished messages, by all sockets."""
    held = 0
    for connection in one.connections:
        held += len(connection.conn.reader.buffer) + sum(map(len, connection.frames))
        held += connection.transport.get_write_buffer_size()
    return held


async def end_of(wire: Wire, one: Served) -> tuple[int, str]:
    end = await wire.closed_with()
    await one.wait_until(one.site.gone.is_set)
    return end


async def test_a_message_is_heard_and_answered() -> None:
    async with served() as one:
        wire = await one.websocket()
        wire.write(frame(TEXT, b"hello"))
        assert await wire.frame() == (TEXT, b"5")
        wire.write(frame(PING, b"are you there"))
        assert await wire.frame() == (PONG, b"are you there")
    assert one.site.heard[0] == {"type": "websocket.receive", "text": "hello"}


async def test_a_message_in_fragments_is_one_buffer_and_arrives_whole() -> None:
    async with served() as one:
        wire = await one.websocket()
        wire.write(frame(TEXT, b"a", last=False) + frame(CONTINUED, b"b", last=False) * 40)
        await one.wait_until(lambda: any(len(each.frames[0]) == 41 for each in one.connections if each.frames))
        assert [len(each.frames) for each in one.connections] == [1]
        wire.write(frame(CONTINUED, b"c"))
        assert await wire.frame() == (TEXT, b"42")


async def test_compression_is_not_agreed_on_and_a_compressed_frame_ends_the_socket() -> None:
    async with served() as one:
        wire = await one.websocket(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")
        assert b"101" in wire.answer
        assert b"extensions" not in wire.answer.lower()
        wire.write(frame(TEXT, b"\xcbH\xcd\xc9\xc9\x07\x00", bits=0x40))
        assert (await end_of(wire, one))[0] == 1002


@pytest.mark.parametrize(
    "flood",
    [
        frame(TEXT, last=False) + frame(CONTINUED, last=False) * (MEGABYTE // 6),
        frame(TEXT) * (MEGABYTE // 6),
        frame(PING) * (MEGABYTE // 6),
        frame(PING, b"p" * 125) * (MEGABYTE // 131),
        frame(PONG) * (MEGABYTE // 6),
        frame(BINARY, b"x" * 60_000) * 16,
        frame(TEXT, b"a", last=False) + frame(CONTINUED, b"b", last=False) * (MEGABYTE // 7),
        frame(TEXT, b"x" * 20, last=False) + (frame(PING) + frame(CONTINUED, b"x" * 20, last=False)) * (MEGABYTE // 32),
    ],
    ids=["empty fragments", "empty messages", "pings", "long pings", "pongs", "bytes", "small fragments", "both"],
)
async def test_a_flood_is_closed_with_1008_and_nothing_is_held(flood: bytes) -> None:
    async with served() as one:
        wire = await one.websocket()
        await wire.flood(flood)
        assert (await end_of(wire, one))[0] == 1008
        assert bytes_held(one) == 0
    assert len(one.site.heard) < 100


async def test_a_peer_that_pings_and_does_not_read_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CONTROLS_AT_ONCE", 1e9)
    async with served() as one:
        wire = await one.websocket()
        (connection,) = one.connections
        connection.pause_writing()
        wire.write(frame(PING))
        await one.wait_until(one.site.gone.is_set)
        assert one.site.heard[-1]["code"] == 1008


@pytest.mark.parametrize(
    "message",
    [
        frame(TEXT, b"x" * (MAX_FRAME + 1)),
        frame(TEXT, b"x" * 40_000, last=False) + frame(CONTINUED, b"x" * 40_000, last=False),
        frame(TEXT, b"x" * MAX_FRAME, last=False) + frame(CONTINUED, b"x"),
        b"\x81\xff" + b"\x7f" + b"\xff" * 7 + bytes(4),
    ],
    ids=["at once", "two fragments", "one byte over", "announced"],
)
async def test_a_message_over_64_kb_is_closed_with_1009_before_it_is_held(message: bytes) -> None:
    async with served() as one:
        wire = await one.websocket()
        await wire.flood(message)
        assert (await end_of(wire, one))[0] == 1009
        assert bytes_held(one) == 0
    assert one.site.heard[0]["type"] == "websocket.disconnect"


async def test_a_message_of_64_kb_arrives() -> None:
    async with served() as one:
        wire = await one.websocket()
        wire.write(frame(TEXT, b"x" * MAX_FRAME))
        assert await wire.frame() == (TEXT, str(MAX_FRAME).encode())


async def test_twenty_sockets_with_unfinished_messages_hold_no_more_than_64_kb_each() -> None:
    async with served() as one:
        wires = [await one.websocket() for _ in range(20)]
        for wire in wires:
            wire.write(frame(TEXT, b"x" * 30_000, last=False) + frame(CONTINUED, b"x" * 35_000, last=False)[:-1])
        await one.wait_until(lambda: bytes_held(one) >= 20 * 64_000)
        assert bytes_held(one) <= 20 * (MAX_FRAME + 16)


async def test_text_that_is_no_text_is_closed_with_1007_and_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as one:
        wire = await one.websocket()
        wire.write(frame(TEXT, b"canary \xc3\x28") + frame(TEXT, b"later") + frame(PING))
        assert (await end_of(wire, one))[0] == 1007
    assert [message["type"] for message in one.site.heard] == ["websocket.disconnect"]
    assert not [
        record for record in caplog.records if record.levelno >= logging.ERROR or "canary" in record.getMessage()
    ]


async def test_what_is_sent_before_the_handshake_is_answered_ends_the_connection() -> None:
    async with served(accepts=False) as one:
        wire = await one.open()
        wire.write(handshake())
        await one.wait_until(lambda: any(hasattr(each, "handshake_initiated") for each in one.connections))
        wire.write(frame(PING) * 10)
        assert await wire.rest() == b""
        await one.wait_until(lambda: not one.connections)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({f"X-{number}": "y" for number in range(200)}, b"431"),
        ({"Sec-WebSocket-Extensions": "=;=,"}, b"101"),  # none is offered, so none is read
        ({"Sec-WebSocket-Protocol": "=;="}, b"400"),
    ],
    ids=["200 headers", "extensions", "protocol"],
)
async def test_every_handshake_gets_an_answer(headers: dict[str, str], status: bytes) -> None:
    async with served() as one:
        wire = await one.open()
        wire.write(handshake(**headers))
        assert (await wire.head()).split()[1] == status
        wire.drop()


async def test_a_socket_that_was_cut_is_let_go_though_its_peer_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CLOSE_WITHIN", 0.05)
    async with served() as one:
        wire = await one.websocket()
        wire.write(frame(PING) * 20)
        await one.wait_until(lambda: not one.connections)
        wire.drop()
