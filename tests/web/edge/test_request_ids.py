"""Each request and each socket has an id that its lines of the log tell."""

from __future__ import annotations

import json
import logging
import re

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


GIVEN = "7f3a9c5e1b2d4f60a8c7e6d5b4a39281"
PASSED_ON = {"X-Forwarded-For": "198.51.100.7"}


@pytest.mark.parametrize("given", [GIVEN, "0f8fad5b-d9cd-469f-a165-70867728950e", "a1b2c3d4"])
async def test_the_id_of_a_counted_proxy_is_kept(given: str) -> None:
    answer, bound = await asked(1, {**PASSED_ON, HEADER: given})

    assert answer.headers[HEADER] == bound["request"] == given


@pytest.mark.parametrize(
    ("hops", "headers"),
    [
        (0, {**PASSED_ON, HEADER: GIVEN}),  # no proxy is ours
        (1, {HEADER: GIVEN}),  # it did not come by ours
        (2, {**PASSED_ON, HEADER: GIVEN}),  # it passed one of two
        (1, {**PASSED_ON, HEADER: "short"}),
        (1, {**PASSED_ON, HEADER: GIVEN + GIVEN}),
        (1, {**PASSED_ON, HEADER: "forged level=ERROR"}),
        (1, {**PASSED_ON, HEADER: ""}),
        (1, [*PASSED_ON.items(), (HEADER, GIVEN), (HEADER, "a1b2c3d4")]),
    ],
)
async def test_any_other_id_is_replaced(hops: int, headers: dict[str, str] | list[tuple[str, str]]) -> None:
    answer, bound = await asked(hops, headers)

    assert re.fullmatch(r"[0-9a-f]{8}", bound["request"])
    assert bound["request"] not in str(headers)
    assert answer.headers[HEADER] == bound["request"]


async def asked(hops: int, headers: dict[str, str] | list[tuple[str, str]]) -> tuple[httpx.Response, dict[str, str]]:
    """The answer to one request behind `hops` proxies, and what its lines of the log would tell."""
    seen.clear()
    site = RequestIds(Starlette(routes=[Route("/", answer)]), hops)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://test") as client:
        got = await client.get("/", headers=headers)
    (bound,) = seen
    return got, bound


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
