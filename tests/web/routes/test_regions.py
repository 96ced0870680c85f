"""The choice of a region: remembered for a year when the installation serves it, otherwise asked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.web.cookies import REGION, SESSION
from tests.config.region_files import ORYOL, TULA
from tests.services.world import MovableClock, opened
from tests.web.conftest import Browser

CHOOSE = "/session/region"


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    regions = folder / "regions.toml"
    regions.write_text(TULA + ORYOL, encoding="utf-8")
    async with opened(folder, clock, regions_file=regions) as portal:
        yield portal


async def choose(browser: httpx.AsyncClient, **form: str) -> httpx.Response:
    return await browser.post(CHOOSE, data=form)


async def test_a_region_is_remembered_for_a_year_and_the_start_page_comes(open_browser: Browser) -> None:
    answer = await choose(open_browser(), region="oryol")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["set-cookie"] == f"{REGION}=oryol; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"


@pytest.mark.parametrize(
    "code", ["", "tver", "TULA", "tula ", "//evil.example", "tula\r\nSet-Cookie: a=b", "\x00", "я", "t" * 5000, "main"]
)
async def test_any_other_region_is_not_remembered_and_is_asked_again(open_browser: Browser, code: str) -> None:
    answer = await choose(open_browser(), region=code)

    assert (answer.status_code, answer.headers["location"]) == (303, "/region")
    assert "set-cookie" not in answer.headers


async def test_a_form_without_a_region_is_asked_again(open_browser: Browser) -> None:
    assert (await choose(open_browser(), landing="//evil.example")).headers["location"] == "/region"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
async def test_a_foreign_page_chooses_nothing(open_browser: Browser, headers: dict[str, str]) -> None:
    answer = await open_browser().post(CHOOSE, data={"region": "tula"}, headers=headers)

    assert answer.status_code == 403
    assert REGION not in answer.headers.get("set-cookie", "")


async def test_a_link_chooses_nothing(open_browser: Browser) -> None:
    answer = await open_browser().get(CHOOSE, params={"region": "tula"})

    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


async def test_choosing_signs_nobody_in_or_out(open_browser: Browser) -> None:
    browser = open_browser()
    browser.cookies.set(SESSION, "x" * 43)
    await choose(browser, region="tula")

    assert browser.cookies[SESSION] == "x" * 43


async def test_where_there_is_one_region_it_is_everybodys(
    folder: Path, clock: MovableClock, site_of, open_browser: Browser
) -> None:
    async with opened(folder, clock) as alone:
        transport = httpx.ASGITransport(site_of(alone))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as browser:
            answer = await browser.post(
                CHOOSE, data={"region": "anything"}, headers={"Origin": "http://127.0.0.1:8000"}
            )

    assert answer.headers["location"] == "/"
    assert answer.headers["set-cookie"].startswith(f"{REGION}=main;")
