"""How long things live at the stand-in; the tests move its clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from medonline.sandbox.gosuslugi.stand_in import GosuslugiStandIn
from medonline.sandbox.store import Store
from tests.sandbox.gosuslugi import AC, NEW, NO_PHONE, Person, ac, password, settings_at, timestamp


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


class Stand:
    """The stand-in with a clock of its own, without a socket: time is what these tests are about."""

    def __init__(self) -> None:
        self.clock = Clock()
        chosen = settings_at("http://stand.test")
        self.store = Store(None)
        self.routes = GosuslugiStandIn(chosen, self.store, self.clock)
        self.app = Starlette(routes=[Mount("/gosuslugi", routes=self.routes.routes())])

    def browser(self) -> Person:
        person = Person("http://stand.test")
        person.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=person.url)
        return person

    def request(self) -> dict[str, str]:
        return ac(timestamp=timestamp(datetime.fromtimestamp(self.clock.now, UTC)))

    def code_of(self, phone: str) -> str:
        return re.search(r"\d{6}", self.store.events(phone)[-1].text)[0]


async def test_a_code_dies_after_five_minutes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await password(browser, NEW)
        stand.clock.now += 300
        await browser.press("/code", code=stand.code_of(NEW.phone))

        assert "Код устарел" in browser.page.text
        await password(browser, NEW)
        assert len(stand.store.events(NEW.phone)) == 2


async def test_a_session_dies_after_thirty_minutes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await password(browser, NO_PHONE)
        await browser.consent()
        stand.clock.now += 1799
        assert (await browser.open(AC, **stand.request())).code
        stand.clock.now += 1

        assert await browser.open(AC, **stand.request()) is None


async def test_an_authorisation_code_dies_after_240_seconds() -> None:
    stand = Stand()
    codes = stand.routes.stand.codes
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await password(browser, NO_PHONE)
        code_id = stand.routes.stand.signer.read((await browser.consent()).code)["jti"]
    stand.clock.now += 239
    assert codes.look(code_id, "esia") is not None
    assert codes.look(code_id, "oidc") is None
    stand.clock.now += 1

    assert codes.look(code_id, "esia") is None
    assert codes.use(code_id, "esia") is False


async def test_a_qr_code_dies_after_two_minutes_and_a_new_one_comes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await browser.open(re.search(r'href="([^"]+/qr)"', browser.page.text)[1])
        old = re.search(r"/qr/([^.\"]+)\.svg", browser.page.text)[1]
        state = re.search(r'data-qr-state="([^"]+)"', browser.page.text)[1]
        page = browser.page
        stand.clock.now += 120
        assert (await browser.http.get(state)).json() == {"approved": False, "alive": False}
        assert stand.routes.pending_qr() == []
        await browser.open(f"/gosuslugi/qr/{old}")
        assert browser.page.status_code == 410
        browser.page = page
        await browser.press("/qr")

        assert re.search(r"/qr/([^.\"]+)\.svg", browser.page.text)[1] != old


async def test_a_journey_dies_after_thirty_minutes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        stand.clock.now += 1800
        await password(browser, NO_PHONE)

        assert browser.page.status_code == 410


async def test_signed_times_may_differ_by_five_minutes() -> None:
    stand = Stand()
    request = stand.request()
    async with stand.browser() as browser:
        stand.clock.now += 300
        assert await browser.open(AC, **request) is None
        stand.clock.now -= 600
        assert await browser.open(AC, **request) is None
        stand.clock.now -= 1

        assert (await browser.open(AC, **request)).query["error_description"].startswith("ESIA-007015")
