"""Faults of the vendors of codes: one switch for each, which survives a restart, and what it changes at the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from medonline.sandbox.app import close_sandbox, create_sandbox
from medonline.sandbox.code_faults import Vendor
from tests.sandbox.server import API_ID, KEY, SERVICE_ID, TOKEN, settings

PHONE = "79000001001"
UCALLER = {"Authorization": f"Bearer {KEY}.{SERVICE_ID}"}
TELEGRAM = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_sandbox(settings(store=tmp_path / "sandbox.sqlite3"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.test") as client:
        yield client
    await close_sandbox(app)


async def send(sandbox: httpx.AsyncClient, vendor: str) -> httpx.Response:
    """Ask this vendor for one code."""
    if vendor == "ucaller":
        return await sandbox.post("/ucaller/v1.0/initCall", json={"phone": PHONE, "code": "0427"}, headers=UCALLER)
    if vendor == "sms_ru":
        return await sandbox.post("/sms_ru/code/call", data={"api_id": API_ID, "phone": PHONE, "json": "1"})
    body = {"phone_number": f"+{PHONE}", "code": "042700", "ttl": 300}
    return await sandbox.post("/telegram/sendVerificationMessage", json=body, headers=TELEGRAM)


async def switch(sandbox: httpx.AsyncClient, **faults: str) -> httpx.Response:
    return await sandbox.put("/code-faults.json", json=faults)


@pytest.mark.parametrize(
    ("vendor", "no_key", "no_money"),
    [
        ("ucaller", '"code":401', '"code":1002'),
        ("sms_ru", "301", '"status_code":201'),
        ("telegram", "ACCESS_TOKEN_INVALID", "BALANCE_NOT_ENOUGH"),
    ],
)
async def test_a_fault_is_of_one_vendor_in_its_own_words(
    sandbox: httpx.AsyncClient, vendor: str, no_key: str, no_money: str
) -> None:
    others = {"ucaller", "sms_ru", "telegram"} - {vendor}
    for fault, status, words in (
        ("down", 503, "503"),
        ("missing", 404, "404"),
        ("key", 200, no_key),
        ("money", 200, no_money),
    ):
        assert (await switch(sandbox, **{vendor: fault})).json() == dict.fromkeys(Vendor, "none") | {vendor: fault}
        answer = await send(sandbox, vendor)
        assert (answer.status_code, words in answer.text) == (status, True)
        for other in others:
            assert (await send(sandbox, other)).json().get("status") in (True, "OK", None)
    await switch(sandbox, **{vendor: "low"})
    assert (await send(sandbox, vendor)).json().get("status") in (True, "OK", None)


@pytest.mark.parametrize(("fault", "balance"), [("none", 4122.56), ("low", 3.0), ("money", 0.0)])
async def test_the_balance_follows_the_switch(sandbox: httpx.AsyncClient, fault: str, balance: float) -> None:
    await switch(sandbox, ucaller=fault, sms_ru=fault)
    ucaller = await sandbox.get("/ucaller/v1.0/getBalance", headers=UCALLER)
    sms_ru = await sandbox.post("/sms_ru/my/balance", data={"api_id": API_ID, "json": "1"})

    assert (ucaller.json()["rub_balance"], float(sms_ru.json()["balance"])) == (balance, balance)
    assert (await sandbox.get("/ucaller/v1.0/getBalance")).json()["code"] == 401
    assert (await sandbox.post("/sms_ru/my/balance", data={"json": "1"})).text == "301"


async def test_a_fault_survives_a_restart_and_is_on_the_page(tmp_path: Path) -> None:
    chosen = settings(store=tmp_path / "sandbox.sqlite3")
    for step in range(2):
        app = create_sandbox(chosen)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.test") as client:
            if step == 0:
                assert (await client.post("/code-faults", data={"ucaller": "money"})).status_code == 303
            page = (await client.get("/code-faults")).text
            assert 'name="ucaller" value="money" checked' in page
            assert 'name="sms_ru" value="none" checked' in page
        await close_sandbox(app)


@pytest.mark.parametrize("sent", [{}, {"ucaller": "fire"}, {"bell": "down"}, [], "down", {"ucaller": None}])
async def test_nonsense_switches_nothing(sandbox: httpx.AsyncClient, sent: object) -> None:
    assert (await sandbox.put("/code-faults.json", json=sent)).status_code == 400
    assert set((await sandbox.get("/code-faults.json")).json().values()) == {"none"}
    assert (await sandbox.post("/code-faults", data={"ucaller": "fire"})).status_code == 400
