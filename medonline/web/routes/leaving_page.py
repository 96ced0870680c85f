"""The page that sends a browser to another site by itself, or by its link or button.

It is not a redirect: the page whose form led here has `form-action 'self'`, which would stop a redirect to another origin. This way
the provider's address need not be known when that header is written.
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
    """A small page that sends the browser to another site. The address comes from an adapter, never from a client.

    It works without a script: the page or its link opens an address, and a script or the button posts a form.
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
    """The policy of every page, but its form may lead elsewhere. A provider may send the browser on to other sites before it comes back,
    and browsers check every redirect of a form against this list. Everything else on the page is the portal's own."""
    place = urlsplit(url)
    # `https:` covers every other address. The pattern matters: an odd character in the host could begin another rule.
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
    """The origin by which this browser reaches the portal: the request's own if it is one of the portal's, else the portal's first."""
    origin = request.headers.get("origin", "")
    return origin if origin in portal().config.allowed_origins else portal().config.origin
