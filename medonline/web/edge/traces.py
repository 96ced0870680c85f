"""A trace for each document and for each route that does something. Files, health and metrics have none."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medonline import routes
from medonline.traces.spans import SpanKind, fail, is_followed, span

_UNSEEN = frozenset({routes.HEALTH_LIVE, routes.HEALTH_READY, routes.METRICS})
_SEEN = frozenset(path for path in routes.ALL if path not in _UNSEEN and not path.startswith(routes.SANDBOX))
# A client may invent any other word.
_METHODS = frozenset({"GET", "HEAD", "POST"})


class Traced:
    """ASGI middleware. It does not read the trace headers of a client."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start a trace and pass the request on within it."""
        if not is_followed() or scope["type"] != "http" or scope["path"] not in _SEEN:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        words = {"http__request__method": method, "http__route": scope["path"]}
        with span(f"{method} {scope['path']}", SpanKind.SERVER, begins=True, **words) as one:

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    one.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        fail(one, str(message["status"]))
                await send(message)

            await self._app(scope, receive, sending)
