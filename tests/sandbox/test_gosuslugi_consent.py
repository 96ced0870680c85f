"""Sessions, consent, and journeys that stay in their browser."""

from __future__ import annotations

import re

from tests.sandbox.gosuslugi import AC, NEW, NO_PHONE, VOLKOV, Person, ac, at_sign_in, password, running_gosuslugi


async def test_a_second_journey_goes_through_at_once(visitor: Person) -> None:
    await at_sign_in(visitor)
    await visitor.sign_in(NEW)
    back = await visitor.open(AC, **ac())

    assert back.code


async def test_the_consent_lists_what_is_asked_and_is_asked_once() -> None:
    with running_gosuslugi() as url:
        async with Person(url) as browser:
            await at_sign_in(browser, scope="openid fullname snils")
            await password(browser, NO_PHONE)
            page = browser.page.text
            assert ">Предоставить</button>" in page
            assert ">Отказаться</button>" in page
            assert re.findall("<li>(.+)</li>", page) == ["Фамилия, имя, отчество", "СНИЛС"]
            assert "Фёдоров Пётр Ильич" in page
            await browser.consent()

            assert (await browser.open(AC, **ac(scope="openid fullname"))).code
            assert await browser.open(AC, **ac(scope="openid fullname birthdate")) is None
            assert ">Предоставить</button>" in browser.page.text


async def test_a_refusal_goes_back_as_such() -> None:
    with running_gosuslugi() as url:
        async with Person(url) as browser:
            asked = await at_sign_in(browser)
            await password(browser, NO_PHONE)
            consent = browser.page
            back = await browser.consent("refuse")
            assert back.query["error"] == "access_denied"
            assert back.query["error_description"].startswith("ESIA-007004: ")
            assert back.query["state"] == asked["state"]

            browser.page = consent
            assert (await browser.consent("grant")).address == back.address


async def test_the_last_button_pressed_twice_ends_where_it_did() -> None:
    with running_gosuslugi() as url:
        async with Person(url) as browser:
            await at_sign_in(browser)
            await password(browser, NO_PHONE)
            path, consent = browser.page.url.path, browser.page
            back = await browser.consent()
            browser.page = consent
            assert (await browser.consent()).address == back.address

            assert await browser.open(path) is None
            assert browser.page.status_code == 410


async def test_a_journey_belongs_to_its_browser(visitor: Person, gosuslugi_url: str) -> None:
    await at_sign_in(visitor)
    async with Person(gosuslugi_url) as stranger:
        stranger.page = visitor.page
        assert await password(stranger, NO_PHONE) is None
        assert stranger.page.status_code == 410

        await at_sign_in(stranger)
        stranger.page = visitor.page
        assert await password(stranger, NO_PHONE) is None
        assert stranger.page.status_code == 410


async def test_two_tabs_walk_side_by_side(visitor: Person) -> None:
    first = await at_sign_in(visitor)
    first_page = visitor.page
    second = await at_sign_in(visitor)
    back = await visitor.sign_in(VOLKOV)
    visitor.page = first_page
    other = await visitor.sign_in(VOLKOV)

    assert (back.query["state"], other.query["state"]) == (second["state"], first["state"])


async def test_cookies_stay_within_the_stand_in(visitor: Person) -> None:
    answer = await visitor.http.get(AC, params=ac())

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/gosuslugi" in cookie
    assert "SameSite=lax" in cookie
