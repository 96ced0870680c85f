"""How long a session lives on, as the page that warns asks for it; «Остаться» prolongs it."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.web.cookies import SESSION
from tests.services.world import MovableClock
from tests.web.conftest import ORIGIN, Browser
from tests.web.tickets import ticket_of

LEFT, EXTEND = "/session/left", "/session/extend"
OVER = {"idle": 0, "absolute": 0}
HOURS_12 = 12 * 3600


@pytest.fixture
async def anna(portal: Portal, open_browser: Browser) -> httpx.AsyncClient:
    browser = open_browser()
    await browser.post("/session/open", data={"ticket": await ticket_of(portal, browser)})
    return browser


async def test_a_new_session_has_half_an_hour_and_half_a_day(anna: httpx.AsyncClient) -> None:
    answer = await anna.get(LEFT)

    assert answer.json() == {"idle": 1800, "absolute": HOURS_12}
    assert answer.headers["cache-control"] == "no-store"


async def test_asking_does_not_prolong(anna: httpx.AsyncClient, clock: MovableClock) -> None:
    begun = clock.now
    for passed in (600, 1200, 1799):
        clock.now = begun + timedelta(seconds=passed)
        assert (await anna.get(LEFT)).json() == {"idle": 1800 - passed, "absolute": HOURS_12 - passed}
    clock.move(seconds=0.9)  # the last moment of the session: 0 would say that it is over
    assert (await anna.get(LEFT)).json() == {"idle": 1, "absolute": HOURS_12 - 1799}
    clock.move(seconds=0.1)

    assert (await anna.get(LEFT)).json() == OVER


async def test_staying_prolongs(anna: httpx.AsyncClient, clock: MovableClock) -> None:
    clock.move(minutes=29)

    assert (await anna.post(EXTEND)).json() == {"idle": 1800, "absolute": HOURS_12 - 29 * 60}
    assert (await anna.get(LEFT)).json() == {"idle": 1800, "absolute": HOURS_12 - 29 * 60}


async def test_a_session_that_is_over_stays_over(portal: Portal, anna: httpx.AsyncClient, clock: MovableClock) -> None:
    clock.move(minutes=30)

    assert (await anna.post(EXTEND)).json() == OVER
    assert (await anna.get(LEFT)).json() == OVER
    assert await portal.login.who(token_hash(anna.cookies[SESSION])) is None


@pytest.mark.parametrize("cookie", ["", "x", new_token(), "я"], ids=["empty", "short", "unknown", "not ascii"])
async def test_without_a_session_nothing_is_left(open_browser: Browser, cookie: str) -> None:
    browser = open_browser()
    headers = {"Cookie": f"{SESSION}={cookie}".encode()}

    assert (await browser.get(LEFT, headers=headers)).json() == OVER
    assert (await browser.post(EXTEND, headers=headers)).json() == OVER


async def test_neither_a_link_nor_a_foreign_page_prolongs(anna: httpx.AsyncClient, clock: MovableClock) -> None:
    clock.move(minutes=29)

    assert (await anna.get(EXTEND)).status_code == 404
    assert (await anna.post(EXTEND, headers={"Origin": "https://evil.example"})).status_code == 403
    assert (await anna.post(EXTEND, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    assert (await anna.get(LEFT)).json()["idle"] == 60


async def test_a_foreign_page_cannot_read_the_answer(anna: httpx.AsyncClient) -> None:
    answer = await anna.get(LEFT, headers={"Origin": "https://evil.example"})

    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.request.url.host == httpx.URL(ORIGIN).host
