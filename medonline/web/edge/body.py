"""How much a request may bring along, and how long it may take."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from medonline import routes

MAX_BODY = 16 * 1024  # bytes; the largest honest one is a delivery report
# A message to the bot in MAX has up to 4000 signs, six bytes each in JSON, and another one that it answers or forwards. What is refused
# is posted again for hours, and in the end the messenger gives the portal up.
MAX_CHAT_BODY = 128 * 1024
MAX_SANDBOX_BODY = 128 * 1024  # signed requests to the stand-ins


# Seconds for the whole body from its first byte on: 16 KB take two at the pace of GPRS. Without an end, a thousand clients that
# begin a body and send no more hold every connection that the server has.
BODY_WITHIN = 10.0


class BodyTooLarge(Exception):
    """The request is answered with 413."""


class BodyTooLate(Exception):
    """The request is answered with 408, and its connection closed."""


async def read_body(scope: Scope, receive: Receive) -> Receive:
    """The request with its body read, so that nothing behind meets a body over the limit, declared or not.

    Raises:
        BodyTooLarge: it is over the limit; what is left of it stays unread.
        BodyTooLate: it was not whole after `BODY_WITHIN` seconds.
        ClientDisconnect: the client left in the middle.
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
