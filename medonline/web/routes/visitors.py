"""A new visitor cookie where another person may use the browser from now on, and the end of a recovery's proof."""

from __future__ import annotations

import logging

from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from medonline import routes
from medonline.bootstrap import portal
from medonline.web.cookies import (
    LEFT,
    VisitorName,
    cookie_value,
    has_just_left,
    new_sitting_cookie,
    new_visitor,
    set_cookie,
    visitor_cookie,
    visitor_key_in,
)

SIGNED_OUT = f"{routes.HOME}?login=left"

log = logging.getLogger(__name__)


async def left_by(request: Request, response: Response) -> Response:
    """The response to somebody who signs in or out. It ends everything that was begun in this browser."""
    await portal().visitors.leave(visitor_key_in(cookie_value(request.scope)))
    return of_another(request, response)


def of_another(request: Request, response: Response) -> Response:
    """The response with a new visitor cookie and a new sitting cookie, so that nothing begun in this browser continues."""
    response.headers.append("Set-Cookie", new_sitting_cookie())
    return renamed(request, response, new_visitor())


def renamed(request: Request, response: Response, name: VisitorName) -> Response:
    """The response that sets this visitor cookie. It then closes the browser's open pages, which reconnect with the new cookie."""
    response.headers.append("Set-Cookie", visitor_cookie(name.value))
    response.background = BackgroundTask(portal().visitors.close_pages, visitor_key_in(cookie_value(request.scope)))
    return response


class HomeEndsProofs:
    """ASGI middleware. A visitor who opens the start page («×» leads there) gives up a recovery whose phone was proved."""

    def __init__(self, pages: ASGIApp) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page, then end the proof, so that the page does not wait for the database."""
        if _opens_home(scope) and has_just_left(cookie_value(scope)):
            response = RedirectResponse(SIGNED_OUT, 303)
            response.headers.append("Set-Cookie", set_cookie(LEFT, "", https=portal().config.https, max_age=0))
            await response(scope, receive, send)
            return
        await self._pages(scope, receive, send)
        visitor_key = visitor_key_in(cookie_value(scope)) if _opens_home(scope) else ""
        if not visitor_key:
            return
        try:
            await portal().recovery.leave_proved(visitor_key)
        except Exception as error:
            # The page was served, and the proof will soon expire by itself.
            log.warning("A proof did not end with the start page: %s", type(error).__name__)


def _opens_home(scope: Scope) -> bool:
    """Whether a person opens the start page: not a prefetch of the browser, nor a request of a script."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != routes.HOME:
        return False
    headers = Headers(scope=scope)
    in_advance = headers.get("sec-purpose", "") + headers.get("purpose", "")
    return "prefetch" not in in_advance and headers.get("sec-fetch-dest", "document") == "document"
