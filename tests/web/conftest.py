"""The portal's HTTP side in this process: real routes, real boundary, a stub where Reflex serves its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from medonline import bootstrap
from medonline.bootstrap import Portal
from medonline.demo import demo_routes
from medonline.web.edge.boundary import Boundary
from medonline.web.routes.table import with_routes
from tests.services.conftest import clock, folder, portal, template

__all__ = ["clock", "folder", "portal", "template"]

ORIGIN = "http://127.0.0.1:8000"
Browser = Callable[..., httpx.AsyncClient]


async def page(request: Request) -> Response:
    return HTMLResponse(f"<!doctype html><title>{request.url.path}</title>")


async def asset(request: Request) -> Response:
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "txt": "text/plain"}
    return PlainTextResponse("/* */", media_type=kinds[request.url.path.rsplit(".", 1)[1]])


def pages() -> Starlette:
    files = [Route(f"/{path}", asset) for path in ("assets/app-1a2b3c.js", "portal.css", "favicon.svg", "robots.txt")]
    return Starlette(routes=[*files, *(Route(path, page) for path in ("/", "/recovery/", "/cards/"))])


@pytest.fixture
def site_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Portal], Boundary]:
    def make(portal: Portal) -> Boundary:
        monkeypatch.setattr(bootstrap, "_portal", portal)
        return Boundary(with_routes(pages(), demo_routes()))

    return make


@pytest.fixture
async def open_browser(portal: Portal, site_of: Callable[[Portal], Boundary], folder: Path) -> AsyncIterator[Browser]:
    """Open a browser: it keeps its cookies and sends its Origin with a change."""
    site = site_of(portal)
    opened: list[httpx.AsyncClient] = []

    def open_one(*, raises: bool = True) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(site, raise_app_exceptions=raises)
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

        async def add_origin(request: httpx.Request) -> None:
            if request.method == "POST":
                request.headers.setdefault("Origin", ORIGIN)

        client.event_hooks["request"].append(add_origin)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        await client.aclose()
