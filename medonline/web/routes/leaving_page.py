"""Sending a browser to another site: a page that goes on by itself, or by its link.

Not a redirect: `form-action 'self'` of the page whose form led here would stop a redirect to another origin, and the
address of the provider need not be known when that header is written.
"""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

from medonline.bootstrap import portal


def leaving_page(url: str, title: str) -> HTMLResponse:
    """A small page that leads to `url` (made by an adapter, never by a client); needs no script."""
    address = escape(url, quote=True)
    return HTMLResponse(
        f"""<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0;url={address}">
<title>{title} — Медицина-онлайн</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="/portal.css"></head>
<body><main class="main narrow"><h1>{title}…</h1><p>Если ничего не происходит, перейдите по ссылке.</p>
<a class="button primary" href="{address}">Продолжить</a></main></body></html>
"""
    )


def origin_of(request: Request) -> str:
    """The origin under which this browser reaches the portal: its own if it is one of the portal's, else the first."""
    origin = request.headers.get("origin", "")
    return origin if origin in portal().config.allowed_origins else portal().config.origin
