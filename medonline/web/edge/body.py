"""How large the body of a request may be, and how long it may take."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from medonline import routes

MAX_BODY = 16 * 1024  # bytes; the largest honest body is a delivery report
# A message to the bot in MAX has up to 4000 characters of six bytes each in JSON, and may quote a second message of that size. MAX posts
# a refused update again for hours, and in the end stops sending to the portal.
MAX_CHAT_BODY = 128 * 1024
MAX_SANDBOX_BODY = 128 * 1024  # bytes; for signed requests to the stand-ins


# Seconds for the whole body. At the speed of GPRS, 16 KB take two seconds. Without a limit, a thousand clients that begin a body and
# send no more would hold every connection of the server.
BODY_WITHIN = 10.0


class BodyTooLarge(Exception):
    """The body is over the limit. The answer is 413."""


class BodyTooLate(Exception):
    """The body did not arrive in time. The answer is 408, and the connection is closed."""


async def read_body(scope: Scope, receive: Receive) -> Receive:
    """Read the body and return a `receive` that replays it, so that no later layer meets a body over the limit, declared or not.

    Raises:
        BodyTooLarge: the body is over the limit. The rest of it stays unread.
        BodyTooLate: the body was not complete after `BODY_WITHIN` seconds.
        ClientDisconnect: the client disconnected in the middle.
    """
    limit = _limit_of(scope["path"])
    declared = Headers(scope=scope).get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()) or len(declared) > len(str(limit)) or int(declared) > limit:
        raise BodyTooLarge
    try:
        async with asyncio.timeout(BODY_WITHIN):
            body = await _whole_body(receive, limit)
    except TimeoutError:
        raise BodyTooLate from None
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


def _limit_of(path: str) -> int:
    if path.startswith(f"{routes.SANDBOX}/"):
        return MAX_SANDBOX_BODY
    return MAX_CHAT_BODY if path == routes.MAX_UPDATES else MAX_BODY


async def _whole_body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge
        more = message.get("more_body", False)
    return bytes(body)
