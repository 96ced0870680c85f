"""What every request passes: Origin of sockets and of changes, the visitor cookie, security headers, caching."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medonline import routes
from medonline.bootstrap import portal
from medonline.services.secret_tokens import new_token
from medonline.web.client_address import with_client
from medonline.web.cookies import VISITOR, VISITOR_MAX_AGE_S, cookie_value, set_cookie, visitor_key_in
from medonline.web.error_pages import error_page
from medonline.web.sandbox_mount import MACHINE_PATHS

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
}
IMMUTABLE = "public, max-age=31536000, immutable"
_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Machines post here: they send no Origin and prove themselves otherwise.
_FROM_MACHINES = (routes.TELEGRAM_REPORT, *MACHINE_PATHS)


class Boundary:
    """ASGI middleware around the whole site."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse with 403."""
        if scope["type"] in ("http", "websocket"):
            scope = with_client(scope, portal().config.trusted_proxy_hops)
        if scope["type"] == "websocket":
            if Headers(scope=scope).get("origin") not in portal().config.allowed_origins:
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            if _is_foreign_change(scope):
                await error_page(403)(scope, receive, _with_headers(scope, send))
                return
            await self._app(_page_as_file(scope), receive, _in_russian(scope, receive, _with_headers(scope, send)))
        else:
            await self._app(scope, receive, send)


def _page_as_file(scope: Scope) -> Scope:
    """A page is a folder with an index.html: found there without sending the browser to an address with a slash."""
    if scope["method"] in ("GET", "HEAD") and scope["path"] in routes.PAGES and scope["path"] != "/":
        path = f"{scope['path']}/"
        return {**scope, "path": path, "raw_path": path.encode()}
    return scope


def _is_foreign_change(scope: Scope) -> bool:
    if scope["method"] not in _CHANGES or scope["path"].startswith(_FROM_MACHINES):
        return False
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site", "same-origin")
    return headers.get("origin") not in portal().config.allowed_origins or site not in ("same-origin", "none")


def _in_russian(scope: Scope, receive: Receive, send: Send) -> Send:
    """Put a Russian page in place of the plain English words that the frameworks answer errors with."""
    replaced = False

    async def sending(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and _is_bare_error(scope, message):
            replaced = True
            await error_page(message["status"])(scope, receive, send)
        elif not replaced:
            await send(message)

    return sending


def _is_bare_error(scope: Scope, message: Message) -> bool:
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    from_person = not scope["path"].startswith(_FROM_MACHINES)
    return bool(message["status"] >= 400 and from_person and kind.startswith("text/plain"))


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers["Cache-Control"] = _caching(scope["path"], message, headers)
            if _is_document(message, headers) and not visitor_key_in(cookie_value(scope)):
                _set_visitor(headers)
        await send(message)

    return sending


def _is_document(message: Message, headers: MutableHeaders) -> bool:
    return bool(message["status"] == 200) and headers.get("content-type", "").startswith("text/html")


def _caching(path: str, message: Message, headers: MutableHeaders) -> str:
    if path.startswith("/assets/") and message["status"] == 200:
        return IMMUTABLE
    kind = headers.get("content-type", "")
    if kind.startswith(("text/css", "text/javascript", "application/javascript", "image/", "font/")):
        return "no-cache"
    return "no-store"


def _set_visitor(headers: MutableHeaders) -> None:
    cookie = set_cookie(VISITOR, new_token(), https=portal().config.https, max_age=VISITOR_MAX_AGE_S)
    headers.append("Set-Cookie", cookie)
