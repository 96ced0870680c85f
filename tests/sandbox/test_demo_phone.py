"""The demo phone: what a newcomer sees on it, and what tests read from it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from medonline.sandbox.app import close_sandbox, create_sandbox
from tests.sandbox.server import API_ID, KEY, SERVICE_ID, TOKEN, settings

PHONE = "+79161234501"
UCALLER = {"Authorization": f"Bearer {KEY}.{SERVICE_ID}"}
TELEGRAM = {"Authorization": f"Bearer {TOKEN}"}


async def ring(http: httpx.AsyncClient, phone: str, code: str) -> None:
    call = {"phone": int(phone[1:]), "code": code}
    answer = await http.post("/ucaller/v1.0/initCall", json=call, headers=UCALLER)
    assert answer.json()["status"] is True


async def write(http: httpx.AsyncClient, phone: str, code: str) -> None:
    message = {"phone_number": phone, "code": code, "ttl": 60}
    answer = await http.post("/telegram/sendVerificationMessage", json=message, headers=TELEGRAM)
    assert answer.json()["ok"] is True


async def test_events_come_oldest_first_with_the_code_in_them(http: httpx.AsyncClient) -> None:
    await ring(http, PHONE, "4321")
    await write(http, PHONE, "123456")
    await http.post("/sms_ru/code/call", data={"api_id": API_ID, "phone": PHONE[1:], "ip": "-1"})

    events = (await http.get(f"/phone/{PHONE}/events")).json()

    assert [event["kind"] for event in events] == ["call", "telegram", "call"]
    assert (events[0]["from"], events[0]["text"]) == ("+74951204321", "Входящий звонок")
    assert (events[1]["from"], events[1]["text"]) == ("Коды подтверждения", "Your code is 123456")
    moments = [datetime.fromisoformat(event["at"]) for event in events]
    assert moments == sorted(moments)
    assert {moment.utcoffset() for moment in moments} == {timedelta(0)}


@pytest.mark.parametrize("written", ["+79161234502", "79161234502", "%2B79161234502"])
async def test_a_number_may_be_written_with_or_without_plus(http: httpx.AsyncClient, written: str) -> None:
    before = len((await http.get(f"/phone/{written}/events")).json())

    await ring(http, "+79161234502", "1111")

    assert len((await http.get(f"/phone/{written}/events")).json()) == before + 1


@pytest.mark.parametrize("number", ["+79169999999", "+74951234567", "+12025550123"])
async def test_a_phone_nobody_called_has_no_events(http: httpx.AsyncClient, number: str) -> None:
    answer = await http.get(f"/phone/{number}/events")

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("number", ["abc", "+7", "8 916", "+7916123450123456", "+0916123450", "%D9%A7" * 11])
async def test_a_malformed_number_is_a_json_error(http: httpx.AsyncClient, number: str) -> None:
    answer = await http.get(f"/phone/{number}/events")

    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


async def test_the_page_shows_calls_and_messages_without_a_script(http: httpx.AsyncClient) -> None:
    await ring(http, "+79161234503", "8642")
    await write(http, "+79161234503", "975310")

    page = (await http.get("/phone", params={"number": "8 (916) 123-45-03"})).text

    assert "Учебный стенд: настоящих звонков и сообщений нет" in page
    assert "+7 916 123-45-03" in page
    assert "+7 495 120 <strong>8642</strong>" in page
    assert "Ваш код: <strong>975310</strong>" in page
    assert "Коды подтверждения" in page
    assert 'aria-live="polite"' in page


async def test_the_page_offers_the_demo_patients(http: httpx.AsyncClient) -> None:
    page = (await http.get("/phone")).text

    assert "Демо-пациенты: +7 900 000-10-01, +7 900 000-10-02" in re.sub(r"</?a[^>]*>", "", page)
    assert 'href="phone?number=%2B79000001001"' in page


@pytest.mark.parametrize("typed", ["495 123-45-67", "hello", "<script>alert(1)</script>", '"><b>'])
async def test_a_number_that_is_no_mobile_gets_a_sentence(http: httpx.AsyncClient, typed: str) -> None:
    answer = await http.get("/phone", params={"number": typed})

    assert answer.status_code == 400
    assert "Введите номер российского мобильного телефона" in answer.text
    assert "<b>" not in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", ["/", "/phone", "/phone?number=%2B79161234501"])
async def test_a_page_holds_under_a_strict_policy(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)

    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "<style" not in answer.text
    assert not re.search(r"\s(style|on\w+)=", answer.text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", answer.text))
    assert "http://" not in answer.text.replace("http://www.w3.org", "")


async def test_the_sandbox_works_under_any_path_without_lifespan() -> None:
    sandbox = create_sandbox(settings())
    host = Starlette(routes=[Mount("/deep/sandbox", app=sandbox)])
    transport = httpx.ASGITransport(host)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test", follow_redirects=True) as http:
        index = await http.get("/deep/sandbox/")
        page = await http.get(index.url.join(re.search(r'class="button" href="([^"]+)"', index.text)[1]))
        page = await http.get(page.url, params={"number": PHONE})
        linked = re.findall(r'(?:href|src|data-events)="([^"]+)"', page.text)
        answers = [(await http.get(page.url.join(link))) for link in linked]

    assert len(linked) >= 5
    assert {answer.status_code for answer in answers} == {200}
    assert all(str(answer.url).startswith("http://portal.test/deep/sandbox/") for answer in answers)
    await close_sandbox(sandbox)


async def test_health_answers(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health")).json() == {"status": "ok"}
