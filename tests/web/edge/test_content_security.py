"""The policy is made of the pages as they are built: their inline scripts by hash, nothing else inline."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.config.settings import ConfigurationError
from medonline.web.edge.boundary import Boundary
from medonline.web.edge.content_security import PagePolicies
from tests.web.conftest import ORIGIN

HOME = """<!doctype html><html><head><script src="/portal.js"></script><script>
if (1 < 2) { document.title = "</div> &amp; é"; }
</script><style>p { color: red }</style><script type="module">import "/a.js"</script></head><body>ы</body></html>"""


def source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "cards").mkdir()
    (tmp_path / "index.html").write_text(HOME, encoding="utf-8")
    (tmp_path / "cards" / "index.html").write_text("<script>cards()</script>", encoding="utf-8")
    (tmp_path / "404.html").write_bytes(b"<script>\r\nmissing()\r\n</script>")
    return tmp_path


def rules(policies: PagePolicies, path: str) -> dict[str, list[str]]:
    parts = (rule.split() for rule in policies.of(path, (ORIGIN,)).split("; "))
    return {name: values for name, *values in parts}


def test_each_inline_script_is_allowed_by_its_hash(bundle: Path) -> None:
    home = rules(PagePolicies.of_bundle(bundle), "/")

    script = '\nif (1 < 2) { document.title = "</div> &amp; é"; }\n'
    assert home["script-src"] == ["'self'", source(script), source('import "/a.js"')]
    assert home["style-src"] == ["'self'", source("p { color: red }")]


@pytest.mark.parametrize("path", ["/cards", "/cards/", "/cards/index.html"])
def test_a_page_has_the_hashes_of_its_own_scripts_only(bundle: Path, path: str) -> None:
    assert rules(PagePolicies.of_bundle(bundle), path)["script-src"] == ["'self'", source("cards()")]


@pytest.mark.parametrize("path", ["/nowhere", "/404.html", "/session/open", "/cards/../x"])
def test_any_other_path_has_the_policy_of_the_page_that_says_so(bundle: Path, path: str) -> None:
    assert rules(PagePolicies.of_bundle(bundle), path)["script-src"] == ["'self'", source("\nmissing()\n")]


@pytest.mark.parametrize("path", ["/", "/cards", "/nowhere"])
def test_nothing_unsafe_and_nothing_foreign_is_allowed(bundle: Path, path: str) -> None:
    policy = PagePolicies.of_bundle(bundle).of(path, ("https://portal.example.ru",))

    assert not {"unsafe-inline", "unsafe-eval", "unsafe-hashes", "*", "http:", "https:"} & set(policy.split())
    assert "connect-src 'self' wss://portal.example.ru;" in policy


def test_without_built_pages_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="medonline build"):
        PagePolicies.of_bundle(tmp_path)


async def test_the_boundary_sends_each_page_with_its_policy(
    portal: Portal, site_of: Callable[[Portal], Boundary], bundle: Path
) -> None:
    site = site_of(portal)
    site = Boundary(site._app, PagePolicies.of_bundle(bundle))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=ORIGIN) as anna:
        policies = {path: (await anna.get(path)).headers["Content-Security-Policy"] for path in ("/", "/cards")}

    assert source("cards()") in policies["/cards"]
    assert source("cards()") not in policies["/"]
