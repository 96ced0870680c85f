"""A short id for each request and each socket: it is in every line of the log that belongs to it."""

from __future__ import annotations

import logging
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"


class RequestIds:
    """ASGI middleware around everything; a client cannot choose its id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with an id bound; the answer to a request tells it."""
        made = secrets.token_hex(4)
        if scope["type"] == "websocket":
            with bound_contextvars(socket=made):
                await self._app(scope, receive, send)
        elif scope["type"] == "http":
            with bound_contextvars(request=made):
                try:
                    await self._app(scope, receive, _telling(made, send))
                except Exception:
                    # Said here, because the server's own line is withheld: it would quote the error (`logs.setup.WithoutPayloads`).
                    log.exception("A request failed")
                    raise
        else:
            await self._app(scope, receive, send)


def _telling(made: str, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[HEADER] = made
        await send(message)

    return sending
