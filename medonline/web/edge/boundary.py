"""The checks that every request passes: its true address, its Host, the Origin of sockets and changes, and its size.

The boundary also sets the visitor cookie and the headers of every answer.
"""

from __future__ import annotations

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medonline import routes
from medonline.bootstrap import portal
from medonline.services.limits.alarms import Alarm
from medonline.web.cookies import cookie_value, cookies_of_a_document
from medonline.web.edge.body import BodyTooLarge, BodyTooLate, read_body
from medonline.web.edge.client_address import claims_another_address, with_client
from medonline.web.edge.content_security import PagePolicies
from medonline.web.edge.error_pages import error_page, other_host
from medonline.web.edge.headers import add_headers, leads_elsewhere
from medonline.web.edge.hosts import is_own_host

log = logging.getLogger(__name__)

UNCOUNTED_PROXY = (
    "a request says that a proxy passed it on, and MEDONLINE_TRUSTED_PROXY_HOPS is 0: "
    "if the proxy is your own, all patients share the limits of its address"
)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})  # any other method, known or not, may change something
# Machines post here. They send no Origin, and prove who they are in other ways.
_FROM_MACHINES = (
    routes.TELEGRAM_REPORT,
    routes.MAX_UPDATES,
    routes.SMS_RU_REPORT,
    f"{routes.UCALLER_CALL}/",
    *routes.SANDBOX_MACHINES,
)


class Boundary:
    """ASGI middleware around the whole site."""

    def __init__(self, app: ASGIApp, policies: PagePolicies | None = None) -> None:
        self._app = app
        self._policies = policies or PagePolicies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse with 403, 408, 413 or 421."""
        if scope["type"] in ("http", "websocket"):
            _warn_of_uncounted_proxy(scope)
            scope = with_client(scope, portal().config.trusted_proxy_hops)
        if scope["type"] == "websocket":
            if Headers(scope=scope).get("origin") not in portal().config.allowed_origins:
                # The log quotes nothing of the request: a refused client must not be able to write into the log.
                log.warning("Socket refused: it does not come from a page of the portal")
                await send({"type": "websocket.close", "code": 1008})
                return
            if not is_own_host(scope, portal().config.own_hosts):
                log.warning("Socket refused: it is asked for by another host than the portal's")
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, self._with_headers(scope, send))
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_own_host(scope, portal().config.own_hosts):
            log.warning("Request refused: it is asked for by another host than the portal's")
            await other_host(portal().config.origin)(scope, receive, send)
            return
        if _is_foreign_change(scope):
            log.warning("Change refused: it does not come from a page of the portal")
            await error_page(403)(scope, receive, send)
            return
        if scope["method"] not in _READS:
            try:
                receive = await read_body(scope, receive)
            except BodyTooLarge:
                log.warning("Request refused: its body is over the limit")
                await error_page(413)(scope, receive, send)
                return
            except BodyTooLate:
                log.warning("Request refused: its body did not arrive in time")
                await error_page(408, {"Connection": "close"})(scope, receive, send)
                return
            except ClientDisconnect:
                return
        await self._app(_page_as_file(scope), receive, _in_russian(scope, receive, send))

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                add_headers(headers, scope, message, self._policies)
                if _is_document(message, headers):
                    for cookie in cookies_of_a_document(cookie_value(scope), headers.getlist("set-cookie")):
                        headers.append("Set-Cookie", cookie)
            await send(message)

        return sending


def _warn_of_uncounted_proxy(scope: Scope) -> None:
    """Raise an alarm when a proxy is not counted: all patients then share the limits of its address, and a few lock out all others."""
    if portal().config.trusted_proxy_hops == 0 and claims_another_address(scope):
        # A client can write this header, so its value stays out of the log.
        portal().alarms.sound(Alarm.UNCOUNTED_PROXY, UNCOUNTED_PROXY)


def _page_as_file(scope: Scope) -> Scope:
    """The scope of the page's file. A page is a folder with an index.html, and this finds it without a redirect to a slash."""
    if scope["method"] in ("GET", "HEAD") and scope["path"] in routes.PAGES and scope["path"] != "/":
        path = f"{scope['path']}/"
        return {**scope, "path": path, "raw_path": path.encode()}
    return scope


def _is_foreign_change(scope: Scope) -> bool:
    if scope["method"] in _READS or scope["path"].startswith(_FROM_MACHINES):
        return False
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site", "same-origin")
    return headers.get("origin") not in portal().config.allowed_origins or site not in ("same-origin", "none")


def _in_russian(scope: Scope, receive: Receive, send: Send) -> Send:
    """Replace the frameworks' plain English error texts with a Russian page."""
    replaced = False

    async def sending(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and leads_elsewhere(scope, message, MutableHeaders(scope=message)):
            replaced = True
            await error_page(404)(scope, receive, send)
        elif message["type"] == "http.response.start" and _is_bare_error(scope, message):
            replaced = True
            await error_page(message["status"])(scope, receive, send)
        elif not replaced:
            await send(message)

    return sending


def _is_bare_error(scope: Scope, message: Message) -> bool:
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    from_person = not scope["path"].startswith(_FROM_MACHINES)
    return bool(message["status"] >= 400 and from_person and kind.startswith("text/plain"))


def _is_document(message: Message, headers: MutableHeaders) -> bool:
    return bool(message["status"] == 200) and headers.get("content-type", "").startswith("text/html")
