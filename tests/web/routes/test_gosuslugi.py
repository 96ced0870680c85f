"""To Gosuslugi and back over HTTP: only to the provider, only back to the portal's own pages, whatever the address says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.domain.personal_data_consent import VERSION
from medonline.services.crypto.tokens import token_hash
from medonline.services.ports import IdentityPerson
from medonline.web.cookies import LEFT, SESSION, VISITOR
from tests.services.outside import VERA, ScriptedIdentity, dump, provider_of, with_provider
from tests.services.world import KNOWN, MovableClock, opened
from tests.web.conftest import ORIGIN, Browser

START, RETURN = "/gosuslugi/start", "/gosuslugi/return"
OWN_PAGES = {"/cards", "/settings", "/settings?focus=password", "/register", "/link-account"}
HOSTILE = [
    "//evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "\\\\evil.example",
    "/\\evil.example",
    "/cards\r\nSet-Cookie: a=b",
    "%0d%0aLocation:%20//evil.example",
    "\x00",
    "settings?next=//evil.example",
    '"><script>alert(1)</script>',
]


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def new_browser(open_browser: Browser) -> httpx.AsyncClient:
    browser = open_browser()
    await browser.get("/")
    return browser


async def start(browser: httpx.AsyncClient, **form: str) -> str:
    """Press the button; where the page leads."""
    answer = await browser.post(START, data=form or {"purpose": "login"})
    assert answer.status_code == 200, answer.headers
    return target_of(answer)


def target_of(answer: httpx.Response) -> str:
    """Where a page that goes on by itself goes."""
    refresh = re.findall(r'http-equiv="refresh" content="0;url=([^"]*)"', answer.text)
    links = re.findall(r'<a [^>]*href="([^"]*)"', answer.text)
    assert len(set(refresh + links)) == 1
    return unescape(refresh[0])


def answer_of(portal: Portal, person: IdentityPerson = VERA) -> dict[str, str]:
    """What the provider puts into the address of the way back."""
    provider = provider_of(portal)
    return {"state": provider.asked[-1].state, "code": provider.code_for(person)}


def assert_is_the_portals_own(answer: httpx.Response) -> None:
    assert answer.status_code == 303
    path = answer.headers["location"]
    assert path in OWN_PAGES or re.fullmatch(r"/login-failed\?reason=[a-z_]{1,30}", path)


# --- the way there ----------------------------------------------------------------------------------------------


async def test_the_button_leads_to_the_provider_and_nowhere_else(portal: Portal, open_browser: Browser) -> None:
    target = await start(await new_browser(open_browser))

    assert target.startswith("https://esia.test.example/ac?state=")
    assert provider_of(portal).asked[0].redirect_uri == f"{ORIGIN}/gosuslugi/return"


async def test_the_way_back_is_to_the_name_under_which_the_browser_knows_the_portal(
    portal: Portal, open_browser: Browser
) -> None:
    browser = await new_browser(open_browser)
    await browser.post(START, data={"purpose": "login"}, headers={"Origin": "http://localhost:8000"})
    await browser.post(START, data={"purpose": "login"}, headers={"Host": "localhost:8000"})

    assert [request.redirect_uri for request in provider_of(portal).asked] == [
        f"http://localhost:8000{RETURN}",
        f"{ORIGIN}{RETURN}",
    ]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", f"{ORIGIN}.evil.example"])
async def test_a_foreign_page_cannot_start_a_journey(
    portal: Portal, open_browser: Browser, folder: Path, origin: str
) -> None:
    browser = await new_browser(open_browser)
    before = dump(folder)
    answer = await browser.post(START, data={"purpose": "login"}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert dump(folder) == before


async def test_a_link_starts_no_journey(open_browser: Browser, folder: Path) -> None:
    browser = await new_browser(open_browser)
    before = dump(folder)

    assert (await browser.get(START, params={"purpose": "login"})).status_code == 404
    assert dump(folder) == before


async def test_without_the_visitor_cookie_the_journey_does_not_begin(open_browser: Browser, folder: Path) -> None:
    before = dump(folder)
    answer = await open_browser().post(START, data={"purpose": "login"})

    assert answer.headers["location"] == "/login-failed?reason=cookies"
    assert dump(folder) == before


async def test_a_provider_that_is_down_is_told_on_a_page(portal: Portal, open_browser: Browser) -> None:
    provider_of(portal).down = True
    answer = await (await new_browser(open_browser)).post(START, data={"purpose": "login"})

    assert answer.headers["location"] == "/login-failed?reason=unavailable"


@pytest.mark.parametrize("purpose", ["login", "registration", "recovery", "settings"])
async def test_where_somebody_is_signed_in_every_journey_asks_for_a_fresh_proof(
    portal: Portal, open_browser: Browser, purpose: str
) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose="login", consent=VERSION)
    assert not provider_of(portal).asked[-1].fresh
    await browser.get(RETURN, params=answer_of(portal))
    await start(browser, purpose=purpose)

    assert provider_of(portal).asked[-1].fresh


async def test_a_provider_that_only_asks_after_a_sign_out_is_reached_by_way_of_it(
    portal: Portal, open_browser: Browser
) -> None:
    provider_of(portal).asks_after_sign_out = True
    browser = await new_browser(open_browser)
    onward = "/gosuslugi/onward"
    assert (await browser.get(onward)).headers["location"] == "/login-failed?reason=stale"
    assert await start(browser, purpose="settings") == f"https://esia.test.example/logout?back={ORIGIN}{onward}"
    assert (await (await new_browser(open_browser)).get(onward)).headers["location"] == "/login-failed?reason=stale"

    assert target_of(await browser.get(onward)).startswith("https://esia.test.example/ac?state=")
    assert (await browser.get(onward)).headers["location"] == "/login-failed?reason=stale"


async def test_a_browser_that_starts_again_and_again_is_told_on_a_page_and_writes_no_more(
    portal: Portal, open_browser: Browser, folder: Path
) -> None:
    browser = await new_browser(open_browser)
    for _ in range(portal.config.journeys_per_visitor[0].count):
        await start(browser)
    before = dump(folder)
    answer = await browser.post(START, data={"purpose": "login"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login-failed?reason=too_often")
    assert dump(folder) == before


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("name", ["purpose", "consent", "landing", "next", "redirect_uri"])
async def test_no_field_of_the_form_leads_anywhere_else(
    portal: Portal, open_browser: Browser, name: str, value: str
) -> None:
    browser = await new_browser(open_browser)
    target = await start(browser, **{"purpose": "login", name: value})
    assert target.startswith("https://esia.test.example/ac?state=")
    assert "evil" not in target

    answer = await browser.get(RETURN, params=answer_of(portal))
    assert answer.headers["location"] == "/register"


async def test_a_form_over_a_kilobyte_is_taken_for_an_empty_one(portal: Portal, open_browser: Browser) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose="settings", consent=VERSION, padding="x" * 2000)
    answer = await browser.get(RETURN, params=answer_of(portal))

    assert answer.headers["location"] == "/register"


# --- the way back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "page"),
    [
        ("login", "/cards"),
        ("registration", "/cards"),
        ("recovery", "/settings?focus=password"),
        ("settings", "/settings"),
        ("nonsense", "/cards"),
    ],
)
async def test_the_purpose_decides_the_page(portal: Portal, open_browser: Browser, purpose: str, page: str) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose=purpose, consent=VERSION)
    answer = await browser.get(RETURN, params=answer_of(portal))

    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert (
        answer.headers.get_list("set-cookie")[0]
        == f"{SESSION}={browser.cookies[SESSION]}; Path=/; HttpOnly; SameSite=Lax"
    )
    assert answer.headers["cache-control"] == "no-store"
    who = await portal.login.who(token_hash(browser.cookies[SESSION]))
    assert who is not None
    assert who.first_name == "Вера"


@pytest.mark.parametrize(
    ("phone", "page"), [("+79000005001", "/register"), (KNOWN, "/link-account")], ids=["consent", "proof"]
)
async def test_a_stranger_is_asked_on_a_page_and_has_no_session(
    portal: Portal, open_browser: Browser, phone: str, page: str
) -> None:
    browser = await new_browser(open_browser)
    await start(browser)
    person = IdentityPerson("https://i.example", "1", True, "Ли", "Анна", phone=phone, phone_verified=True)
    answer = await browser.get(RETURN, params=answer_of(portal, person))

    assert answer.headers["location"] == page
    assert SESSION not in browser.cookies


async def test_a_sign_in_ends_the_session_this_browser_had(portal: Portal, open_browser: Browser) -> None:
    browser = await new_browser(open_browser)
    keys = []
    for _ in range(2):
        await start(browser, purpose="login", consent=VERSION)
        await browser.get(RETURN, params=answer_of(portal))
        keys.append(token_hash(browser.cookies[SESSION]))

    assert await portal.login.who(keys[0]) is None
    assert await portal.login.who(keys[1]) is not None


async def test_the_same_address_again_opens_nothing_and_keeps_the_session(
    portal: Portal, open_browser: Browser
) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose="login", consent=VERSION)
    back = answer_of(portal)
    await browser.get(RETURN, params=back)
    again = await browser.get(RETURN, params=back)

    assert again.headers["location"] == "/login-failed?reason=stale"
    assert "set-cookie" not in again.headers
    assert await portal.login.who(token_hash(browser.cookies[SESSION])) is not None


async def test_an_address_sent_to_somebody_else_signs_nobody_in(portal: Portal, open_browser: Browser) -> None:
    attacker, victim = await new_browser(open_browser), await new_browser(open_browser)
    await start(attacker, purpose="login", consent=VERSION)
    back = answer_of(portal)
    for browser in (victim, open_browser()):
        answer = await browser.get(RETURN, params=back)
        assert answer.headers["location"] == "/login-failed?reason=stale"
        assert SESSION not in browser.cookies


@pytest.mark.parametrize("value", [*HOSTILE, "x" * 5000], ids=lambda text: repr(text)[:24])
@pytest.mark.parametrize("name", ["state", "code", "error", "error_description", "next", "landing"])
async def test_nothing_in_the_address_leads_anywhere_else(
    portal: Portal, open_browser: Browser, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    browser = await new_browser(open_browser)
    await start(browser)
    answer = await browser.get(RETURN, params=answer_of(portal) | {name: value})

    assert_is_the_portals_own(answer)
    assert not {"set-cookie", "evil"} & set(answer.headers)
    assert "evil" not in answer.text
    assert all("\r" not in message and "\n" not in message and "\x00" not in message for message in caplog.messages)


@pytest.mark.parametrize("query", ["", "?state", "?state=&code=", "?code=1", "?state=%FF%FE&code=%00", "?state[]=1"])
async def test_an_address_that_is_none_is_stale(open_browser: Browser, query: str) -> None:
    answer = await (await new_browser(open_browser)).get(f"{RETURN}{query}")

    assert answer.headers["location"] == "/login-failed?reason=stale"


@pytest.mark.parametrize(("length", "reason"), [(4096, "code_used"), (4097, "other"), (60_000, "other")])
async def test_a_code_of_four_kilobytes_reaches_the_provider_and_a_longer_one_does_not(
    portal: Portal, open_browser: Browser, length: int, reason: str
) -> None:
    browser = await new_browser(open_browser)
    await start(browser)
    answer = await browser.get(RETURN, params=answer_of(portal) | {"code": "c" * length})

    assert answer.headers["location"] == f"/login-failed?reason={reason}"


async def test_what_the_provider_refused_is_named_by_a_word_of_the_portal(
    portal: Portal, open_browser: Browser
) -> None:
    browser = await new_browser(open_browser)
    await start(browser)
    back = {"state": answer_of(portal)["state"], "error": "access_denied", "error_description": "<b>отказ</b>"}
    answer = await browser.get(RETURN, params=back)

    assert answer.headers["location"] == "/login-failed?reason=denied"
    assert "отказ" not in answer.text


async def test_a_posted_return_opens_nothing(portal: Portal, open_browser: Browser) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose="login", consent=VERSION)
    answer = await browser.post(RETURN, data=answer_of(portal))

    assert answer.status_code in (404, 405)
    assert SESSION not in browser.cookies


async def test_no_address_on_the_way_back_is_kept_in_the_log(
    portal: Portal, open_browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await new_browser(open_browser)
    await start(browser)
    await browser.get(RETURN, params=answer_of(portal) | {"code": "canary-code"})

    assert "canary-code" not in caplog.text
    assert browser.cookies[VISITOR].partition(".")[0] not in caplog.text


# --- signing out ------------------------------------------------------------------------------------------------


async def test_signing_out_leads_through_the_provider(portal: Portal, open_browser: Browser) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose="login", consent=VERSION)
    await browser.get(RETURN, params=answer_of(portal))
    key = token_hash(browser.cookies[SESSION])
    answer = await browser.post("/session/close")

    assert provider_of(portal).logouts == [VERA.id_token]
    (form,) = re.findall(r'<form method="post" action="([^"]*)"[^>]*>(.*)</form>', answer.text)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[1]))
    assert (unescape(form[0]), fields) == (
        f"https://esia.test.example/logout?back={ORIGIN}/",
        {"id_token_hint": VERA.id_token},
    )
    assert "form-action 'self' https:;" in answer.headers["content-security-policy"]
    assert not re.findall(rf'(?:href|action|url)="?=?[^"]*{VERA.id_token}', answer.text)
    assert await portal.login.who(key) is None
    assert SESSION not in browser.cookies


async def test_the_start_page_after_the_way_back_from_gosuslugi_says_once_that_one_has_left(
    portal: Portal, open_browser: Browser
) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose="login", consent=VERSION)
    await browser.get(RETURN, params=answer_of(portal))
    await browser.post("/session/close")
    back = await browser.get("/")

    assert (back.status_code, back.headers["location"]) == (303, "/?login=left")
    assert LEFT not in browser.cookies
    assert (await browser.get("/")).status_code == 200


async def test_a_provider_that_is_down_keeps_nobody_signed_in(portal: Portal, open_browser: Browser) -> None:
    browser = await new_browser(open_browser)
    await start(browser, purpose="login", consent=VERSION)
    await browser.get(RETURN, params=answer_of(portal))
    provider_of(portal).down = True
    key = token_hash(browser.cookies[SESSION])
    answer = await browser.post("/session/close")

    assert (answer.status_code, answer.headers["location"]) == (303, "/?login=left")
    assert await portal.login.who(key) is None
    assert SESSION not in browser.cookies
