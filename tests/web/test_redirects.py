"""The portal redirects to its own paths only, whatever a request says."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from medonline import bootstrap, routes
from medonline.bootstrap import Portal
from medonline.web.edge.boundary import Boundary
from tests.web.conftest import ORIGIN, Browser

PACKAGE = Path(__file__).parents[2] / "medonline"
# Names that hold a path of routes.py where a redirect is made.
NAMES = {"AGAIN", "SIGNED_OUT", "target"}
TABLES = {"_WAITING", "_LANDINGS", "_PAGES"}


@pytest.fixture
def send_to(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], httpx.AsyncClient]:
    monkeypatch.setattr(bootstrap, "_portal", portal)

    def make(location: str) -> httpx.AsyncClient:
        async def redirect(_request: Request) -> Response:
            response = Response(status_code=302)
            response.headers["location"] = location
            return response

        site = Boundary(Starlette(routes=[Route("/x", redirect)]))
        return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=ORIGIN)

    return make


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/cards/../../evil",
        "/nowhere",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        f"{ORIGIN}/cards",
        "/cards@evil.example",
        "/%2F/evil.example",
        " /cards",
        "",
    ],
)
async def test_a_redirect_to_anything_else_never_leaves(
    send_to: Callable[[str], httpx.AsyncClient], location: str
) -> None:
    async with send_to(location) as anna:
        answer = await anna.get("/x")

    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("location", ["/", "/cards", "/?login=again", "/login-failed?reason=x", "/sandbox/"])
async def test_a_redirect_to_a_path_of_the_portal_leaves(
    send_to: Callable[[str], httpx.AsyncClient], location: str
) -> None:
    async with send_to(location) as anna:
        assert (await anna.get("/x")).headers["location"] == location


@pytest.mark.parametrize("path", ["//evil.example/%2e%2e", "/\\evil.example", "//evil.example", "/cards//"])
async def test_no_path_leads_to_another_site(open_browser: Browser, path: str) -> None:
    answer = await open_browser().get(httpx.URL(ORIGIN).copy_with(raw_path=path.encode()))

    assert "location" not in answer.headers


async def test_where_to_go_next_is_not_read_from_the_request(open_browser: Browser) -> None:
    anna = open_browser()
    await anna.get("/")
    for path in ("/session/open", "/session/close", "/session/region", "/session/low-vision", "/gosuslugi/start"):
        for name in ("next", "return", "return_to", "redirect", "url"):
            answer = await anna.post(f"{path}?{name}=https://evil.example", data={name: "//evil.example"})
            assert "evil" not in answer.headers.get("location", "") + answer.text


def test_every_redirect_in_the_code_names_a_path_of_routes() -> None:
    seen = 0
    for file in PACKAGE.rglob("*.py"):
        if "sandbox" in file.parts:
            continue  # stand-ins of other sites
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("RedirectResponse", "rx.redirect"):
                seen += 1
                assert _is_own(node.args[0]), f"{file}:{node.lineno}: {ast.unparse(node)}"
    assert seen > 10


def _is_own(target: ast.expr) -> bool:
    if isinstance(target, ast.IfExp):
        return _is_own(target.body) and _is_own(target.orelse)
    if isinstance(target, ast.JoinedStr):
        first = target.values[0]
        return isinstance(first, ast.FormattedValue) and _is_own(first.value)
    text = ast.unparse(target)
    if text.startswith("routes."):
        return getattr(routes, text.removeprefix("routes.")).startswith("/")
    # A page's own path: the route that answers is made for each path of routes.PAGES.
    return text in NAMES or text.partition("[")[0] in TABLES or text == "request.url.path"


def test_the_names_that_redirects_use_hold_paths_of_routes() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) in NAMES
                and "redirect" in file.read_text()
            ):
                assert _is_own(node.value), f"{file}:{node.lineno}"
