"""A short id for each request and each socket. Every log line about the request or socket has it.

A proxy of our own may have set the id already (`proxy_set_header X-Request-Id $request_id`). Then the proxy's log and the portal's
log use the same id.
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
# What proxies make: 32 hexadecimal digits, or a UUID. Nothing longer, because the log cuts out long tokens.
_WELL_FORMED = re.compile(r"[0-9A-Za-z-]{8,36}")


class RequestIds:
    """ASGI middleware around everything. A counted proxy can choose the id, a client cannot.

    hops: the number of our own proxies in front.
    """

    def __init__(self, app: ASGIApp, hops: int = 0) -> None:
        self._app = app
        self._hops = hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind an id and pass the request on. The answer's header carries the id."""
        made = _given(scope, self._hops) or secrets.token_hex(4)
        if scope["type"] == "websocket":
            with bound_contextvars(socket=made):
                await self._app(scope, receive, send)
        elif scope["type"] == "http":
            with bound_contextvars(request=made):
                try:
                    await self._app(scope, receive, _telling(made, send))
                except Exception:
                    # The server's own line would quote the error, so a filter drops it (`logs.setup.WithoutPayloads`).
                    log.exception("A request failed")
                    raise
        else:
            await self._app(scope, receive, send)


def _given(scope: Scope, hops: int) -> str:
    """The id that a proxy of our own gave; empty when there is none or it is malformed."""
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
