"""Each request and each socket has an id that its lines of the log tell."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from medonline.logs.setup import set_up
from medonline.web.edge.request_ids import HEADER, RequestIds

seen: list[dict[str, str]] = []


async def answer(_request: Request) -> PlainTextResponse:
    seen.append(structlog.contextvars.get_contextvars())
    logging.getLogger(__name__).info("answered")
    return PlainTextResponse("")


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    seen.append(structlog.contextvars.get_contextvars())
    await socket.close()


async def fail(_request: Request) -> PlainTextResponse:
    raise RuntimeError("canary")


SITE = RequestIds(Starlette(routes=[Route("/", answer), Route("/fail", fail), WebSocketRoute("/ws", talk)]))


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


async def test_an_error_nobody_expected_is_logged_with_its_place_under_the_id_that_the_answer_tells(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up("info", "json")
    transport = httpx.ASGITransport(SITE, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answered = await client.get("/fail")

    assert (answered.status_code, "canary" in answered.text) == (500, False)
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines() if "A request failed" in text]
    assert (line["request"], line["error"]) == (answered.headers[HEADER], "RuntimeError")
    assert "test_request_ids.py" in line["at"]
    assert "canary" not in str(line)
