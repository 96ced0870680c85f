"""Built pages as they are sent: filled with what the server knows of the browser, and nothing that a client wrote."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from medonline import bootstrap
from medonline.bootstrap import Portal
from medonline.web.cookies import REGION
from medonline.web.documents import Documents, filled
from medonline.web.first_frame import Known, known_of
from tests.config.region_files import ORYOL, TULA
from tests.services.world import MovableClock, opened
from tests.web.conftest import ORIGIN

PAGE = (
    '<!DOCTYPE html><html lang="ru"><head></head><body>'
    '<p data-known="desk">регистратуру</p><a class="link" href="tel:0" data-known-href="support_tel">0</a>'
    '<p data-shown-if="support_phone" hidden="">Поддержка: <span data-known="support_phone"></span></p>'
    '<p data-shown-if="region_name">Регион</p></body></html>'
)


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    regions = folder / "regions.toml"
    regions.write_text(f'{TULA}{ORYOL}support_phone = "8 (800) 000-00-02"\n', encoding="utf-8")
    async with opened(folder, clock, regions_file=regions) as portal:
        yield portal


@pytest.fixture
async def browser(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(bootstrap, "_portal", portal)
    (tmp_path / "recovery").mkdir()
    for page in ("index.html", "recovery/index.html"):
        (tmp_path / page).write_text(PAGE, encoding="utf-8")
    (tmp_path / "404.html").write_text(PAGE.replace("Регион", "Такой страницы нет"), encoding="utf-8")

    async def missing(_request: object) -> HTMLResponse:
        return HTMLResponse("missing", 404)

    async def asset(_request: object) -> PlainTextResponse:
        return PlainTextResponse("asset")

    pages = Starlette(routes=[Route("/assets/a.js", asset), Route("/{path:path}", missing)])
    transport = httpx.ASGITransport(Documents(pages, tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
        yield browser


async def test_a_page_comes_with_the_texts_of_the_chosen_region(browser: httpx.AsyncClient, portal: Portal) -> None:
    region = portal.config.region("oryol")
    assert region is not None
    browser.cookies.set(REGION, "oryol")
    text = (await browser.get("/")).text

    assert f'<p data-known="desk">{region.desk}</p>' in text
    assert f'href="{region.support_tel}"' in text
    assert 'href="tel:0"' not in text
    assert (
        f'<p data-shown-if="support_phone">Поддержка: <span data-known="support_phone">{region.support_phone}' in text
    )


async def test_the_operator_is_named_before_a_region_is_chosen_and_its_policy_afterwards(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions = folder / "regions.toml"
    regions.write_text(f'{TULA}{ORYOL}data_policy = "https://example.ru/politika"\n', encoding="utf-8")
    async with opened(folder, clock, regions_file=regions, operator_name="ГБУЗ «Поликлиника»") as portal:
        monkeypatch.setattr(bootstrap, "_portal", portal)
        known = [known_of({REGION: code} if code else {}) for code in ("", "tula", "oryol")]

    assert [dict(one.texts)["operator"] for one in known] == ["ГБУЗ «Поликлиника»"] * 3
    assert all(dict(one.shown)["operator"] for one in known)
    assert [dict(one.shown).get("data_policy", False) for one in known] == [False, False, True]
    assert dict(known[2].texts)["data_policy"] == "https://example.ru/politika"


async def test_without_an_operator_none_is_named(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(folder, clock, operator_name=" ") as portal:
        monkeypatch.setattr(bootstrap, "_portal", portal)

        assert dict(known_of({}).shown)["operator"] is False


@pytest.mark.parametrize("code", ["", "tver", '"><script>', "я"])
async def test_without_a_region_of_the_installation_a_page_comes_as_it_was_built(
    browser: httpx.AsyncClient, code: str
) -> None:
    answer = await browser.get("/recovery/", headers={b"Cookie": f"{REGION}={code}".encode()})

    assert answer.text == PAGE


async def test_the_start_page_asks_for_the_region_first(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/region")


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, deflate, br", "br"), ("gzip;q=1", "gzip"), ("identity", None), ("", None)]
)
async def test_a_page_is_compressed_as_the_browser_takes_it(
    browser: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    async with browser.stream("GET", "/recovery/", headers={"Accept-Encoding": accepted}) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding]

    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert unpack(sent).decode() == PAGE


async def test_a_page_that_is_missing_is_filled_in_too_and_stays_missing(browser: httpx.AsyncClient) -> None:
    browser.cookies.set(REGION, "tula")
    answer = await browser.get("/no/such/page")

    assert answer.status_code == 404
    assert "Такой страницы нет" in answer.text
    assert "регистратуру своей поликлиники</p>" in answer.text


async def test_everything_else_passes(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/assets/a.js")).text == "asset"
    assert (await browser.post("/")).status_code == 405
    assert (await browser.head("/")).content == b""


def test_an_empty_text_stays_a_text() -> None:
    assert '<p data-known="desk">\u00a0</p>' in filled(PAGE, Known(texts=(("desk", ""),)))


def test_what_is_filled_in_is_escaped() -> None:
    known = Known(
        root=(("data-x", '"><script>'),),
        texts=(("desk", "<b>&"), ("support_tel", '"><i>')),
        shown=(("region_name", False),),
    )
    page = filled(PAGE, known)

    assert page.startswith('<!DOCTYPE html><html lang="ru" data-x="&quot;&gt;&lt;script&gt;">')
    assert '<p data-known="desk">&lt;b&gt;&amp;</p>' in page
    assert 'href="&quot;&gt;&lt;i&gt;"' in page
    assert '<p data-shown-if="region_name" hidden="">' in page
