"""A body over the limit is answered with 413, declared or not, and nothing behind the boundary sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from medonline.web.edge import body
from medonline.web.edge.body import MAX_BODY
from tests.web.conftest import Browser

CHANGES = ["/session/open", "/callbacks/telegram", "/", "/nowhere"]


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 1000):
        yield b"a" * 1000


@pytest.mark.parametrize("path", CHANGES)
async def test_a_declared_body_over_the_limit(open_browser: Browser, path: str) -> None:
    answer = await open_browser().post(path, content=b"a" * (MAX_BODY + 1))

    assert answer.status_code == 413
    assert "Слишком большой запрос" in answer.text
    assert "Портал ничего не получил." in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", CHANGES)
async def test_an_endless_body_is_read_no_further_than_the_limit(open_browser: Browser, path: str) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1000
            assert taken < 10 * MAX_BODY, "it is read on and on"
            yield b"a" * 1000

    assert (await open_browser().post(path, content=endless())).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "\xb2", "9" * 400, "0x10", ""])
async def test_a_length_that_is_no_number_or_no_length(open_browser: Browser, length: str) -> None:
    answer = await open_browser().post("/session/close", headers={"Content-Length": length.encode("latin-1")})

    assert answer.status_code == 413


async def test_a_body_within_the_limit_arrives_whole(open_browser: Browser) -> None:
    anna = open_browser()
    await anna.get("/")
    answer = await anna.post("/callbacks/telegram", content=chunks(MAX_BODY - 1000))

    assert answer.status_code == 403  # read, and refused for its signature


@pytest.mark.parametrize("path", CHANGES)
async def test_a_body_that_is_never_finished_is_cut(
    open_browser: Browser, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(body, "BODY_WITHIN", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    answer = await open_browser().post(path, content=stalled())

    assert answer.status_code == 408
    assert "Запрос не пришёл целиком" in answer.text
    assert answer.headers["Connection"] == "close"
    assert "Request refused: its body did not arrive in time" in caplog.messages


async def test_a_body_that_drips_is_cut_as_well(open_browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_WITHIN", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"a"
            await asyncio.sleep(0.01)

    assert (await open_browser().post("/session/close", content=dripping())).status_code == 408
