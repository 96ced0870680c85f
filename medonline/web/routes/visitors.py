"""Another name for the browser, where the person in front of it may be another from now on; and the end of what was proved."""

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
    """The response to somebody who signs in or out: nothing that was begun in this browser goes on."""
    await portal().visitors.leave(visitor_key_in(cookie_value(request.scope)))
    return of_another(request, response)


def of_another(request: Request, response: Response) -> Response:
    """The response to a browser in which nothing goes on that was begun: another name, another sitting."""
    response.headers.append("Set-Cookie", new_sitting_cookie())
    return renamed(request, response, new_visitor())


def renamed(request: Request, response: Response, name: VisitorName) -> Response:
    """The response that gives the browser this name. Its open pages come back under it, as soon as the browser has it."""
    response.headers.append("Set-Cookie", visitor_cookie(name.value))
    response.background = BackgroundTask(portal().visitors.close_pages, visitor_key_in(cookie_value(request.scope)))
    return response


class HomeEndsProofs:
    """ASGI middleware: who opens the start page («×» leads there) has given up a recovery whose phone was proved."""

    def __init__(self, pages: ASGIApp) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page, then end the proof: the page waits for no database."""
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
            # The page was served all the same; the proof ends by itself soon.
            log.warning("A proof did not end with the start page: %s", type(error).__name__)


def _opens_home(scope: Scope) -> bool:
    """A page that a person looks at: not what a browser fetches in advance, nor what a script asks for."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != routes.HOME:
        return False
    headers = Headers(scope=scope)
    in_advance = headers.get("sec-purpose", "") + headers.get("purpose", "")
    return "prefetch" not in in_advance and headers.get("sec-fetch-dest", "document") == "document"
