"""The headers of every answer."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

from medonline import routes
from medonline.bootstrap import portal
from medonline.web.edge.content_security import PagePolicies

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers would then send `Origin: null` with a form.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}
# The policy of a script, a style or a drawing: if a browser opens the file as a page, it may run and load nothing. A page's own policy
# is a kilobyte of hashes, and a first visit on a slow line gets ten such files.
NO_PAGE_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# A year (RFC 6797). Without includeSubDomains: the portal must not decide for the clinic's other sites under the same name.
STRICT_TRANSPORT = "max-age=31536000"
IMMUTABLE = "public, max-age=31536000, immutable"
_PATHS = routes.ALL


def add_headers(headers: MutableHeaders, scope: Scope, message: Message, policies: PagePolicies) -> None:
    """Add the missing headers. A stand-in's page keeps its own, stricter policy."""
    config = portal().config
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    is_page = headers.get("content-type", "").startswith("text/html")
    policy = policies.of(scope["path"], config.allowed_origins) if is_page else NO_PAGE_POLICY
    headers.setdefault("Content-Security-Policy", policy)
    if config.https:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    if headers.get("content-type") == "image/svg+xml":
        headers["Content-Type"] = "image/svg+xml; charset=utf-8"  # Starlette adds the charset only to text/…
    if headers.get("content-type", "").startswith("text/html"):
        headers.add_vary_header("Cookie")  # a page depends on the browser's region and look (web.first_frame)
    headers["Cache-Control"] = _caching(scope["path"], message, headers)


def leads_elsewhere(scope: Scope, message: Message, headers: MutableHeaders) -> bool:
    """Whether the answer redirects to anything but a path of routes.py. The frameworks build some addresses from the request's Host
    header or path. The stand-ins are exempt: they lead back to the portal as the real sites do."""
    if not 300 <= message["status"] < 400 or "location" not in headers or scope["path"].startswith(routes.SANDBOX):
        return False
    path = headers["location"].partition("?")[0]
    return path not in _PATHS and path != f"{routes.SANDBOX}/"


def _caching(path: str, message: Message, headers: MutableHeaders) -> str:
    # The name of every file there contains a hash of its content.
    if path.startswith("/assets/") and message["status"] == 200:
        return IMMUTABLE
    kind = headers.get("content-type", "")
    if kind.startswith(("text/css", "text/javascript", "application/javascript", "image/", "font/")):
        return "no-cache"
    return "no-store"
