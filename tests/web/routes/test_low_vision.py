"""The buttons of «Версия для слабовидящих»: kept for a year, changed one at a time, forgotten by «Обычная версия»."""

from __future__ import annotations

import pytest

from medonline.domain.low_vision import LowVision
from medonline.web.cookies import LOW_VISION
from tests.web.conftest import ORIGIN, Browser

CHOOSE = "/session/low-vision"
SCRIPT = {"Accept": "application/json"}


async def test_the_version_is_kept_for_a_year_and_the_same_page_comes_again(open_browser: Browser) -> None:
    answer = await open_browser().post(CHOOSE, data={"version": "low"}, headers={"Referer": f"{ORIGIN}/recovery?x=1"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/recovery")
    kept = f"{LOW_VISION}=150.black.normal.on; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"
    assert answer.headers["set-cookie"] == kept


async def test_each_button_changes_what_it_names(open_browser: Browser) -> None:
    browser = open_browser()
    for name, word in (("size", "200"), ("scheme", "blue"), ("spacing", "widest"), ("images", "off"), ("size", "100")):
        await browser.post(CHOOSE, data={name: word})

    assert browser.cookies[LOW_VISION] == "100.blue.widest.off"


async def test_the_ordinary_version_forgets_the_choice(open_browser: Browser) -> None:
    browser = open_browser()
    await browser.post(CHOOSE, data={"version": "low"})
    answer = await browser.post(CHOOSE, data={"version": "ordinary"}, headers=SCRIPT)

    assert answer.json() == {}
    assert LOW_VISION not in browser.cookies


async def test_the_script_learns_what_the_choice_came_to(open_browser: Browser) -> None:
    answer = await open_browser().post(CHOOSE, data={"scheme": "white"}, headers=SCRIPT)

    assert answer.json() == {"size": "150", "scheme": "white", "spacing": "normal", "images": "on"}


@pytest.mark.parametrize(
    "form", [{"size": "300"}, {"scheme": "blue\r\nSet-Cookie: a=b"}, {"text": "x"}, {"images": "x" * 5000}, {}], ids=str
)
async def test_a_word_that_no_button_has_is_not_kept(open_browser: Browser, form: dict[str, str]) -> None:
    browser = open_browser()
    await browser.post(CHOOSE, data=form)

    assert LowVision.read(browser.cookies[LOW_VISION]) == LowVision()


@pytest.mark.parametrize(
    "page", ["", "https://evil.example/x", "//evil.example", "http://[", "/nowhere", "/session/close"]
)
async def test_only_a_page_of_the_portal_comes_again(open_browser: Browser, page: str) -> None:
    answer = await open_browser().post(CHOOSE, data={"size": "200"}, headers={"Referer": page})

    assert answer.headers["location"] == "/"


async def test_a_link_and_a_foreign_page_choose_nothing(open_browser: Browser) -> None:
    browser = open_browser()

    assert (await browser.get(CHOOSE, params={"size": "200"})).status_code == 404
    assert (
        await browser.post(CHOOSE, data={"size": "200"}, headers={"Origin": "https://evil.example"})
    ).status_code == 403
    assert LOW_VISION not in browser.cookies
