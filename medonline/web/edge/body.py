"""How much a request may bring along."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from medonline import routes

MAX_BODY = 16 * 1024  # bytes; the largest honest one is a delivery report
MAX_SANDBOX_BODY = 128 * 1024  # signed requests to the stand-ins


class BodyTooLarge(Exception):
    """The request is answered with 413."""


async def read_body(scope: Scope, receive: Receive) -> Receive:
    """The request with its body read, so that nothing behind meets a body over the limit, declared or not.

    Raises:
        BodyTooLarge: it is over the limit; what is left of it stays unread.
        ClientDisconnect: the client left in the middle.
    """
    limit = MAX_SANDBOX_BODY if scope["path"].startswith(f"{routes.SANDBOX}/") else MAX_BODY
    declared = Headers(scope=scope).get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()) or len(declared) > len(str(limit)) or int(declared) > limit:
        raise BodyTooLarge
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
    whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay
