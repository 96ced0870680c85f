"""Sending a browser to another site: a page that goes on by itself, or by its link or button.

Not a redirect: `form-action 'self'` of the page whose form led here would stop a redirect to another origin, and the
address of the provider need not be known when that header is written.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlsplit

from starlette.requests import Request

from medonline.bootstrap import portal
from medonline.services.ports import Departure
from medonline.web.small_page import SmallPage

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_PAGE = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">{head}
<title>{title} — Медицина-онлайн</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="/portal.css"></head>
<body><main class="main narrow"><h1>{title}…</h1>{body}</main></body></html>
"""


def leaving_page(away: Departure, title: str) -> SmallPage:
    """A small page that sends the browser to another site; the address comes from an adapter, never from a client.

    It needs no script: an address is opened by the page itself or by its link, a form is posted by a script or by its button.
    """
    address = escape(away.url, quote=True)
    if not away.fields:
        head = f'<meta http-equiv="refresh" content="0;url={address}">'
        body = "<p>Если ничего не происходит, перейдите по ссылке.</p>"
        body += f'<a class="button primary" href="{address}">Продолжить</a>'
        return SmallPage(_PAGE.format(head=head, title=title, body=body))
    fields = "".join(
        f'<input type="hidden" name="{escape(name, quote=True)}" value="{escape(value, quote=True)}">'
        for name, value in away.fields.items()
    )
    head = '<script src="/leaving.js" defer></script>'
    body = (
        f'<form method="post" action="{address}" data-leaving>{fields}<p>Если ничего не происходит, нажмите кнопку.</p>'
    )
    body += '<button class="button primary">Продолжить</button></form>'
    page = SmallPage(_PAGE.format(head=head, title=title, body=body))
    page.headers["Content-Security-Policy"] = _policy_towards(away.url)
    return page


def _policy_towards(url: str) -> str:
    """As every page's, but for where its form leads. A provider may pass the browser on to others before it comes back, and browsers
    hold the whole way of a form against this list; nothing on the page but the provider's address is not the portal's own."""
    place = urlsplit(url)
    # `https:` covers the rest; an odd character would begin another rule.
    plain = f" http://{place.netloc}" if place.scheme == "http" and _HOST.fullmatch(place.netloc) else ""
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        f"form-action 'self' https:{plain}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return "; ".join(rules)


def origin_of(request: Request) -> str:
    """The origin under which this browser reaches the portal: its own if it is one of the portal's, else the first."""
    origin = request.headers.get("origin", "")
    return origin if origin in portal().config.allowed_origins else portal().config.origin
