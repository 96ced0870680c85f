"""What every request passes: Origin, headers, caching, the visitor cookie."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from medonline import bootstrap
from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import new_token
from medonline.web.cookies import SESSION, SITTING, VISITOR, issued_visitor_key_in, visitor_key_in
from medonline.web.edge.boundary import Boundary
from medonline.web.edge.headers import SECURITY_HEADERS
from tests.services.world import SECRET_KEY, MovableClock, opened
from tests.web.conftest import ORIGIN, Browser

STRICT = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"}
# Of what is no page: nothing runs in it and nothing is loaded by it.
STRICTEST = {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"}
FOREIGN = ["", "null", "https://evil.example", f"{ORIGIN}.evil.example", f"{ORIGIN}/", "http://127.0.0.1:8001"]
CHANGES = ["/session/open", "/session/close", "/", "/recovery", "/cards", "/anything"]


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_change_from_a_foreign_page_is_refused(open_browser: Browser, path: str, origin: str) -> None:
    answer = await open_browser().post(path, headers={"Origin": origin})

    assert answer.status_code == 403
    assert "Запрос с чужой страницы отклонён" in answer.text
    assert "Ничего не изменилось. Откройте главную страницу" in answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "post", "X"])
async def test_every_method_that_changes_is_guarded(open_browser: Browser, method: str) -> None:
    answer = await open_browser().request(method, "/session/close", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403


async def test_a_change_without_an_origin_is_refused(portal: Portal, site_of: Callable[[Portal], Boundary]) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site_of(portal)), base_url=ORIGIN) as machine:
        assert (await machine.post("/session/close")).status_code == 403


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 303), ("none", 303), ("same-site", 403), ("cross-site", 403)]
)
async def test_a_change_is_refused_when_the_browser_says_it_comes_from_elsewhere(
    open_browser: Browser, site: str, status: int
) -> None:
    assert (await open_browser().post("/session/close", headers={"Sec-Fetch-Site": site})).status_code == status


@pytest.mark.parametrize(
    "path", ["/", "/recovery", "/cards", "/nowhere", "/health/live", "/portal.css", "/session/open"]
)
async def test_every_answer_carries_the_security_headers(open_browser: Browser, path: str) -> None:
    answer = await open_browser().get(path)

    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "Strict-Transport-Security" not in answer.headers
    is_page = answer.headers["content-type"].startswith("text/html")
    assert set(answer.headers["Content-Security-Policy"].split("; ")) >= (STRICT if is_page else STRICTEST)
    assert is_page or "'self'" not in answer.headers["Content-Security-Policy"]


async def test_a_refused_change_is_not_cached_either(open_browser: Browser) -> None:
    answer = await open_browser().post("/session/close", headers={"Origin": "https://evil.example"})

    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/", "no-store"),
        ("/recovery", "no-store"),
        ("/health/ready", "no-store"),
        ("/robots.txt", "no-store"),
        ("/assets/app-1a2b3c.js", "public, max-age=31536000, immutable"),
        ("/assets/gone-1a2b3c.js", "no-store"),
        ("/portal.css", "no-cache"),
        ("/favicon.svg", "no-cache"),
    ],
)
async def test_only_what_never_changes_is_kept_by_browsers(open_browser: Browser, path: str, caching: str) -> None:
    assert (await open_browser().get(path)).headers["Cache-Control"] == caching


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/session/open", 404), ("/assets/gone.js", 404)])
async def test_an_error_before_any_page_is_a_russian_page(open_browser: Browser, path: str, status: int) -> None:
    answer = await open_browser().get(path)

    assert answer.status_code == status
    assert "Такой страницы нет" in answer.text
    assert not {"Not", "Found", "Method", "Allowed"} & set(answer.text.split())


async def test_the_first_page_names_the_browser_for_thirty_days(open_browser: Browser) -> None:
    anna = open_browser()
    cookie = (await anna.get("/")).headers.get_list("set-cookie")[0]

    token = anna.cookies[VISITOR]
    assert cookie == f"{VISITOR}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000"
    assert re.fullmatch(r"[\w-]{43}\.[0-9a-f]{32}", token)
    assert "set-cookie" not in (await anna.get("/recovery")).headers


async def test_a_name_of_before_there_were_marks_stays_and_gets_one(open_browser: Browser) -> None:
    before = new_token()
    answer = await open_browser().get("/", headers={"Cookie": f"{VISITOR}={before}"})
    after = {VISITOR: answer.headers.get_list("set-cookie")[0].partition("=")[2].partition(";")[0]}

    assert visitor_key_in(after) == visitor_key_in({VISITOR: before}) == issued_visitor_key_in(after) != ""
    assert issued_visitor_key_in({VISITOR: before}) == ""
    again = await open_browser().get("/", headers={"Cookie": f"{VISITOR}={after[VISITOR]}"})
    assert VISITOR not in again.headers.get("set-cookie", "")


async def test_a_change_of_keys_takes_no_name_away(
    folder: Path, clock: MovableClock, open_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = open_browser()
    await anna.get("/")
    cookies = {VISITOR: anna.cookies[VISITOR]}
    key = issued_visitor_key_in(cookies)
    async with opened(folder, clock, secret_key="another-" + SECRET_KEY, old_secret_keys=SECRET_KEY) as changed:
        monkeypatch.setattr(bootstrap, "_portal", changed)
        with_the_older_key = issued_visitor_key_in(cookies)
    async with opened(folder, clock, secret_key="another-" + SECRET_KEY) as changed:
        monkeypatch.setattr(bootstrap, "_portal", changed)
        without = issued_visitor_key_in(cookies), visitor_key_in(cookies)

    assert key == with_the_older_key != ""
    assert without == ("", key)


async def test_each_browser_gets_a_name_of_its_own(open_browser: Browser) -> None:
    names = set()
    for _ in range(5):
        one = open_browser()
        await one.get("/")
        names.add(one.cookies[VISITOR])

    assert len(names) == 5


@pytest.mark.parametrize("value", ["", "short", "x" * 44, 'a"b;c', "%00"])
async def test_a_damaged_name_is_replaced(open_browser: Browser, value: str) -> None:
    answer = await open_browser().get("/", headers={"Cookie": f"{VISITOR}={value}"})

    assert f"{VISITOR}=" in answer.headers["set-cookie"]


@pytest.mark.parametrize("path", ["/health/live", "/portal.css", "/nowhere", "/assets/app-1a2b3c.js"])
async def test_only_a_page_names_a_browser(open_browser: Browser, path: str) -> None:
    assert "set-cookie" not in (await open_browser().get(path)).headers


async def test_pages_are_found_without_a_slash_and_without_a_redirect(open_browser: Browser) -> None:
    for path in ("/recovery", "/cards"):
        assert (await open_browser().get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/recovery", "/cards"])
async def test_a_form_that_a_browser_posts_by_itself_gets_a_page_that_says_what_to_do(
    open_browser: Browser, path: str
) -> None:
    answer = await open_browser().post(path, data={"phone": "+79000001001", "password": "canary"})

    assert answer.status_code == 422  # a success would let password managers keep what is not in force
    assert "Форма не отправлена" in answer.text
    assert f'href="{path}"' in answer.text
    assert "canary" not in answer.text


async def test_on_https_cookies_are_secure_and_bound_to_the_host(
    folder: Path, clock: MovableClock, site_of: Callable[[Portal], Boundary]
) -> None:
    origin = "https://portal.example.ru"
    async with opened(folder, clock, public_url=origin) as portal:
        transport = httpx.ASGITransport(site_of(portal))
        async with httpx.AsyncClient(transport=transport, base_url=origin) as anna:
            page = await anna.get("/")
            visitor, sitting = page.headers.get_list("set-cookie")
            closed = (await anna.post("/session/close", headers={"Origin": origin})).headers.get_list("set-cookie")

    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "connect-src 'self' wss://portal.example.ru" in page.headers["Content-Security-Policy"]
    assert visitor.startswith(f"__Host-{VISITOR}=")
    assert sitting.startswith(f"__Host-{SITTING}=")
    assert closed[0].startswith(f"__Host-{SESSION}=;")
    for cookie in (visitor, sitting, *closed):
        assert {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", f"{ORIGIN}.evil.example"])
async def test_a_socket_without_the_portals_origin_is_closed_before_its_handshake(
    portal: Portal, site_of: Callable[[Portal], Boundary], caplog: pytest.LogCaptureFixture, origin: str | None
) -> None:
    headers = [] if origin is None else [(b"origin", origin.encode())]
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    with caplog.at_level(logging.WARNING):
        await site_of(portal)({"type": "websocket", "path": "/_event/", "headers": headers}, receive, send)
    assert caplog.messages == ["Socket refused: it does not come from a page of the portal"]
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_what_is_refused_at_the_door_is_logged_without_a_word_of_the_sender(
    open_browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "medonline"):
        await open_browser().post("/session/close?canary", headers={"Origin": "https://canary.example"})
        await open_browser().post("/session/close", content=b"canary" * 10_000)

    assert caplog.messages == [
        "Change refused: it does not come from a page of the portal",
        "Request refused: its body is over the limit",
    ]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/nowhere", "text/html; charset=utf-8"),
        ("/portal.css", "text/css; charset=utf-8"),
        ("/assets/app-1a2b3c.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8"),
        ("/health/live", "text/plain; charset=utf-8"),
        ("/health/ready", "application/json"),
        ("/session/left", "application/json"),
    ],
)
async def test_every_answer_names_its_kind_and_every_text_its_encoding(
    open_browser: Browser, path: str, kind: str
) -> None:
    assert (await open_browser().get(path)).headers["Content-Type"] == kind


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-real-ip", "Forwarded"])
async def test_a_proxy_that_nobody_counted_sounds_an_alarm_without_what_it_says(
    open_browser: Browser, caplog: pytest.LogCaptureFixture, clock: MovableClock, name: str
) -> None:
    browser = open_browser()
    for _ in range(3):
        await browser.get("/health/live", headers={name: "198.51.100.77"})
    first = alarms_in(caplog)
    clock.move(minutes=11)
    await browser.get("/", headers={name: "198.51.100.77"})

    assert len(first) == 1
    assert "MEDONLINE_TRUSTED_PROXY_HOPS is 0" in first[0]
    assert alarms_in(caplog)[1:] == [f"{first[0]} (2 more since the last line)"]
    assert "198.51.100.77" not in caplog.text


async def test_a_counted_proxy_sounds_no_alarm(
    folder: Path, clock: MovableClock, site_of: Callable[[Portal], Boundary], caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(folder, clock, trusted_proxy_hops=1) as portal:
        transport = httpx.ASGITransport(site_of(portal))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            await client.get("/health/live", headers={"X-Forwarded-For": "198.51.100.77"})

    assert alarms_in(caplog) == []


def alarms_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith("ALARM")]
