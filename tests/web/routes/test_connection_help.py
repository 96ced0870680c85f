"""Whom a page names that gets no websocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.web.cookies import REGION
from tests.config.region_files import ORYOL, TULA
from tests.services.world import MovableClock, opened
from tests.web.conftest import Browser

DESK = 'desk = "единый центр записи"\nsupport_phone = "+7 4872 00-00-00"\n'


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    regions = folder / "regions.toml"
    regions.write_text(TULA + DESK + ORYOL, encoding="utf-8")
    async with opened(folder, clock, regions_file=regions) as portal:
        yield portal


async def test_the_desk_and_the_telephone_are_those_of_the_region(open_browser: Browser) -> None:
    browser = open_browser()
    browser.cookies.set(REGION, "tula")
    answer = await browser.get("/connection-help")

    assert answer.json() == {
        "desk": "единый центр записи",
        "phone": "+7 4872 00-00-00",
        "tel": "tel:+74872000000",
        "gosuslugi": True,
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_before_the_choice_no_region_is_named(open_browser: Browser) -> None:
    answer = await open_browser().get("/connection-help")

    assert (answer.json()["desk"], answer.json()["phone"]) == ("", "")
