"""What anybody typed is shown as text: no way of the portal's own code makes markup or code of it (XSS)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medonline.services.ports import Departure
from medonline.web.routes.leaving_page import leaving_page

ROOT = Path(__file__).resolve().parent.parent.parent
BROWSER = ROOT / "browser"
OWN = [path for path in BROWSER.rglob("*.js") if "node_modules" not in path.relative_to(BROWSER).parts]
SCRIPTS = [*OWN, *(ROOT / "medonline").rglob("*.js")]
SCREENS = [path for name in ("pages", "dialogs", "components") for path in (ROOT / "medonline" / name).glob("*.py")]
# Markup, code and messages from other windows.
DANGEROUS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\([\"\'`]|"
    r"javascript:|srcdoc|postMessage|[\"\'`]message[\"\'`]"
)
# Messages that come from no other site's window, each with whose they are.
OUR_OWN = {
    "account/drafts.js": ['"message"', "postMessage"],  # of a BroadcastChannel: tabs of this origin alone
    "early/watched_sockets.js": ['"message"'],  # of the app's own WebSocket
}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_script_makes_markup_or_code_of_a_text(path: Path) -> None:
    name = f"{path.parent.name}/{path.name}"

    assert DANGEROUS.findall(path.read_text(encoding="utf-8")) == OUR_OWN.get(name, [])


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_screen_makes_markup_of_a_text(path: Path) -> None:
    raw = re.compile(r"rx\.(html|markdown|script|call_script|run_script|el\.iframe)\b|dangerously|inner_html")

    assert raw.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("evil", ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", "a&b<c"])
def test_an_address_in_a_page_of_the_portal_cannot_leave_its_attribute(evil: str) -> None:
    body = bytes(leaving_page(Departure(f"https://gateway.example/{evil}"), "Переходим").body).decode()

    assert evil not in body
    assert body.count("<script") == body.count("<img") == 0


@pytest.mark.parametrize("evil", ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", "a&b<c"])
def test_what_a_page_posts_elsewhere_cannot_leave_its_attribute(evil: str) -> None:
    page = leaving_page(Departure(f"https://gateway.example/{evil}", {"id_token_hint": evil}), "Выходим")
    body = bytes(page.body).decode()

    assert evil not in body
    assert (body.count("<script"), body.count("<img")) == (1, 0)  # its own


@pytest.mark.parametrize("evil", ["http://gateway.example; script-src *", "http://gateway.example script-src"])
def test_an_address_begins_no_rule_of_the_policy(evil: str) -> None:
    policy = leaving_page(Departure(evil, {"id_token_hint": "a.b.c"}), "Выходим").headers["content-security-policy"]

    assert "gateway.example" not in policy
    assert policy.count("script-src") == 1
