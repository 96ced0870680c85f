"""Sends the built pages, filled with what the server knows about the browser (`web.first_frame`).

The build makes one file per page for everybody. This module fills in what differs, at elements with a mark. The app then takes the
page over and computes the same texts by itself. Without this module the texts would change before the patient's eyes.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import brotli
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medonline import routes
from medonline.web.cookies import cookie_value
from medonline.web.first_frame import Known, is_region_known, known_of

NOT_FOUND = "404.html"
NO_TEXT = "\u00a0"  # an empty text would be one node too few for the app, which would then draw the whole page again
KEPT = 512  # compressed pages of about 10 KB each, so about 5 MB in all
_ROOT = re.compile(r"<html\b[^<>]*")
# React escapes < and > in the values of attributes, so the first > ends a tag.
_MARKED = re.compile(r"(<\w+\b[^<>]*? data-(?:known|known-href|shown-if)=\"[^<>]*>)([^<]*)")
_ATTRIBUTE = r' {}="([^"]*)"'
_TEXT, _ADDRESS, _CONDITION = (re.compile(_ATTRIBUTE.format(f"data-{n}")) for n in ("known", "known-href", "shown-if"))
_HREF = re.compile(_ATTRIBUTE.format("href"))
_HIDDEN = ' hidden=""'
_HEAD_END = "</head>"


class Documents:
    """ASGI middleware around Reflex's pages. It passes on everything that is not a page of the portal."""

    def __init__(self, pages: ASGIApp, folder: Path) -> None:
        self._pages = pages
        self._folder = folder
        self._built: dict[str, str] = {}
        self._kept: dict[tuple[str, Known, str], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page of a path, or «Такой страницы нет» where Reflex finds nothing."""
        if scope["type"] != "http" or scope["method"] not in _READS:
            await self._pages(scope, receive, send)
        elif scope["path"] == routes.HOME and not is_region_known(cookie_value(scope)):
            # The page does the same (`AccountState.load_home`), but too late: the patient would see the page first.
            await RedirectResponse(routes.REGION, 303)(scope, receive, send)
        elif scope["path"] in _FILES:
            await (await self._answer(scope, _FILES[scope["path"]], 200))(scope, receive, send)
        else:
            await self._pages(scope, receive, self._in_place_of_missing(scope, receive, send))

    def _in_place_of_missing(self, scope: Scope, receive: Receive, send: Send) -> Send:
        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_missing_page(message):
                replaced = True
                await (await self._answer(scope, NOT_FOUND, 404))(scope, receive, send)
            elif not replaced:
                await send(message)

        return sending

    async def _answer(self, scope: Scope, file: str, status: int) -> Response:
        accepted = Headers(scope=scope).get("accept-encoding", "")
        encoding = next((one for one in _ENCODINGS if one in re.split(r"[\s,;]+", accepted)), "")
        content = await self._content(file, known_of(cookie_value(scope)), encoding)
        headers = {"Vary": "Accept-Encoding", **({"Content-Encoding": encoding} if encoding else {})}
        return Response(content, status, headers, "text/html")

    async def _content(self, file: str, known: Known, encoding: str) -> bytes:
        key = (file, known, encoding)
        if key not in self._kept:
            content = await asyncio.to_thread(self._compress, *key)  # a tenth of a second, once
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = content
        return self._kept[key]

    def _compress(self, file: str, known: Known, encoding: str) -> bytes:
        if file not in self._built:
            self._built[file] = (self._folder / file).read_text(encoding="utf-8")
        return _ENCODINGS.get(encoding, bytes)(filled(self._built[file], known).encode())


_READS = ("GET", "HEAD")
# The paths end with a slash, which `web.edge.boundary` adds.
_FILES = {f"{path.rstrip('/')}/": f"{path.strip('/')}/index.html".lstrip("/") for path in routes.PAGES}
_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.compress,
    "gzip": partial(gzip.compress, mtime=0),
}


def _is_missing_page(message: Message) -> bool:
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    return bool(message["status"] == 404) and kind.startswith("text/html")


def filled(page: str, known: Known) -> str:
    """A built page, filled with what is known. This function escapes the values."""
    texts, shown = dict(known.texts), dict(known.shown)

    def fill(match: re.Match[str]) -> str:
        tag, text = match[1], match[2]
        if (name := _named(_TEXT, tag)) in texts:
            text = escape(texts[name], quote=False) or NO_TEXT
        if (name := _named(_ADDRESS, tag)) in texts:
            tag = _HREF.sub("", tag)[:-1] + f' href="{escape(texts[name])}">'
        if (name := _named(_CONDITION, tag)) in shown:
            tag = tag.replace(_HIDDEN, "")
            tag = tag if shown[name] else f"{tag[:-1]}{_HIDDEN}>"
        return tag + text

    page = _MARKED.sub(fill, page)
    links = "".join(f'<link rel="stylesheet" href="{escape(address)}">' for address in known.styles)
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in known.root)
    return _ROOT.sub(lambda match: match[0] + attributes, page, count=1).replace(_HEAD_END, links + _HEAD_END, 1)


def _named(mark: re.Pattern[str], tag: str) -> str:
    found = mark.search(tag)
    return found[1] if found else ""
