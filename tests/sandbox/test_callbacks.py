"""Delivery reports of the Telegram stand-in: signed, repeated until taken, and no trouble to the host."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import httpx
import pytest

from medonline.sandbox import callbacks as stand_in
from medonline.sandbox.app import close_sandbox, create_sandbox
from medonline.sandbox.callbacks import Callbacks, signature
from tests.patience import PATIENCE
from tests.sandbox.server import PACE, TOKEN, free_port, receiving, settings

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def send(http: httpx.AsyncClient, callback_url: str, phone: str = "+79361234501", ttl: int = 60) -> str:
    message = {"phone_number": phone, "code": "1234", "ttl": ttl, "payload": "p", "callback_url": callback_url}
    answer = (await http.post("/telegram/sendVerificationMessage", json=message, headers=HEADERS)).json()
    return str(answer["result"]["request_id"])


async def test_each_delivery_state_is_reported_once_and_signed(http: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        request_id = await send(http, receiver.url)
        await receiver.wait_for(3)
        await asyncio.sleep(PACE * 2)

    reports = [json.loads(body) for _, body in receiver.reports]
    assert [report["delivery_status"]["status"] for report in reports] == ["sent", "delivered", "read"]
    assert {(report["request_id"], report["payload"]) for report in reports} == {(request_id, "p")}
    for headers, body in receiver.reports:
        assert headers["x-request-signature"] == signature(TOKEN, headers["x-request-timestamp"], body)


async def test_a_report_is_repeated_until_it_is_taken(http: httpx.AsyncClient) -> None:
    async with receiving(500, 302, 204) as receiver:
        await send(http, receiver.url, phone="+79360000006")
        await receiver.wait_for(4)
        await asyncio.sleep(PACE * 5)

    assert len(receiver.reports) == 4
    assert len({body for _, body in receiver.reports}) == 1


async def test_a_report_is_given_up_after_ten_retries() -> None:
    callbacks = Callbacks(TOKEN, pace=0.002)
    async with receiving(*[500] * 50) as receiver:
        callbacks.post_later(receiver.url, {"request_id": "1"}, 0)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*callbacks._tasks)  # what is given up posts no more

    assert len(receiver.reports) == 11


async def test_pauses_between_retries_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(stand_in, "asyncio", SimpleNamespace(sleep=sleep, create_task=asyncio.create_task))
    callbacks = Callbacks(TOKEN, pace=0.05)
    async with receiving(500, 500, 500) as receiver:
        callbacks.post_later(receiver.url, {}, 7)
        await receiver.wait_for(4)

    assert pauses == pytest.approx([7, 0, 0.05, 0.10, 0.15])


async def test_nobody_listening_hurts_nobody(http: httpx.AsyncClient) -> None:
    await send(http, f"http://127.0.0.1:{free_port()}/")
    await send(http, "http://127.0.0.1:99999/")
    await asyncio.sleep(PACE * 2)

    assert (await http.get("/health")).status_code == 200


async def test_closing_the_sandbox_cancels_what_is_on_its_way() -> None:
    sandbox = create_sandbox(settings(delivery_pace=60))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox.test") as http:
        await send(http, f"http://127.0.0.1:{free_port()}/", phone="+79360000006", ttl=3600)
        async with asyncio.timeout(PATIENCE / 4):  # the report itself would wait for hours
            await close_sandbox(sandbox)

    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    "elsewhere", ["http://203.0.113.9/", "https://p.test/r", "http://10.0.0.5/admin", "http://localhost.evil.example/"]
)
async def test_no_report_goes_to_another_machine(http: httpx.AsyncClient, elsewhere: str) -> None:
    message = {"phone_number": "+79361234501", "code": "1234", "ttl": 60, "callback_url": elsewhere}
    answer = await http.post("/telegram/sendVerificationMessage", json=message, headers=HEADERS)

    assert answer.json() == {"ok": False, "error": "CALLBACK_URL_INVALID"}
