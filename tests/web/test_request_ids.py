"""Each request and each socket has an id that its lines of the log tell."""

from __future__ import annotations

import logging

import httpx
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from medonline.web.request_ids import HEADER, RequestIds

seen: list[dict[str, str]] = []


async def answer(_request: Request) -> PlainTextResponse:
    seen.append(structlog.contextvars.get_contextvars())
    logging.getLogger(__name__).info("answered")
    return PlainTextResponse("")


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    seen.append(structlog.contextvars.get_contextvars())
    await socket.close()


SITE = RequestIds(Starlette(routes=[Route("/", answer), WebSocketRoute("/ws", talk)]))


async def test_the_answer_tells_the_id_under_which_its_lines_stand() -> None:
    seen.clear()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(SITE), base_url="http://test") as client:
        first = await client.get("/", headers={HEADER: "chosen-by-the-client"})
        second = await client.get("/")

    assert [one["request"] for one in seen] == [first.headers[HEADER], second.headers[HEADER]]
    assert len({first.headers[HEADER], second.headers[HEADER], "chosen-by-the-client"}) == 3
    assert structlog.contextvars.get_contextvars() == {}


async def test_a_socket_has_one_id_for_its_life() -> None:
    seen.clear()
    messages = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])

    async def receive() -> dict[str, object]:
        return next(messages)  # type: ignore[return-value]

    async def send(_message: object) -> None:
        return None

    scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b"", "scheme": "ws", "subprotocols": []}
    await SITE(scope, receive, send)  # type: ignore[arg-type]

    (bound,) = seen
    assert set(bound) == {"socket"}
