"""A short id for each request and each socket: it is in every line of the log that belongs to it.

A proxy of our own may have given it one already (`proxy_set_header X-Request-Id $request_id`): then its log and the portal's
name the same request alike.
"""

from __future__ import annotations

import logging
import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from medonline.web.edge.client_address import is_passed_on

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
# As proxies make them: 32 hexadecimal digits, or a UUID. Nothing longer: the log cuts tokens.
_WELL_FORMED = re.compile(r"[0-9A-Za-z-]{8,36}")


class RequestIds:
    """ASGI middleware around everything; a client cannot choose its id, a counted proxy can.

    hops: how many proxies of our own are in front.
    """

    def __init__(self, app: ASGIApp, hops: int = 0) -> None:
        self._app = app
        self._hops = hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with an id bound; the answer to a request tells it."""
        made = _given(scope, self._hops) or secrets.token_hex(4)
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


def _given(scope: Scope, hops: int) -> str:
    """The id that a proxy of our own gave; empty where none did, or what it gave is no id."""
    if scope["type"] not in ("http", "websocket") or not is_passed_on(scope, hops):
        return ""
    given = Headers(scope=scope).getlist(HEADER)
    return given[0] if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]) else ""


def _telling(made: str, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[HEADER] = made
        await send(message)

    return sending
