"""Texts by SMS.ru: what arrives on the demo phone, and how refusals are told apart."""

from __future__ import annotations

import logging
import traceback
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.domain.phone import PhoneNumber
from medonline.providers.notices.sms_ru import SmsRuNotices
from tests.patience import PATIENCE
from tests.sandbox.server import API_ID, free_port

PHONE = PhoneNumber("+79000001042")
TEXT = "Медицина-онлайн: пароль изменён. Если это не вы, позвоните в регистратуру."


def answering(answer: httpx.Response) -> tuple[SmsRuNotices, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def give(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    return SmsRuNotices("http://vendor.test/", API_ID, transport=httpx.MockTransport(give)), seen


def message(**facts: Any) -> httpx.Response:
    return httpx.Response(200, json={"status": "OK", "status_code": 100, "sms": {PHONE.digits: facts}, "balance": 1.5})


async def test_a_notice_arrives_on_the_demo_phone(sandbox_url: str) -> None:
    channel = SmsRuNotices(f"{sandbox_url}/sms_ru", API_ID)

    reference = await channel.send_notice(PHONE, TEXT)
    await channel.close()

    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=PATIENCE) as http:
        events = (await http.get(f"/phone/{PHONE.e164}/events")).json()
    assert reference
    assert [(event["kind"], event["from"], event["text"]) for event in events] == [("sms", "medonline", TEXT)]


@pytest.mark.parametrize(
    ("suffix", "error"),
    [
        ("0002", OutOfMoney),
        ("0003", ProviderDown),
        ("0005", NumberRefused),
        ("0009", NumberNotReachable),
        ("0010", NumberNotReachable),
        ("0012", NumberRefused),
        ("0013", ProviderDown),
        ("0014", ProviderDown),
        ("0015", ProviderDown),
        ("0016", ProviderRefused),
    ],
)
async def test_magic_numbers_fail_as_they_do_for_calls(
    sandbox_url: str, suffix: str, error: type[DeliveryFailed]
) -> None:
    channel = SmsRuNotices(f"{sandbox_url}/sms_ru", API_ID)

    with pytest.raises(DeliveryFailed) as failure:
        await channel.send_notice(PhoneNumber(f"+7912000{suffix}"), TEXT)
    await channel.close()

    assert type(failure.value) is error


async def test_a_wrong_key_is_refused(sandbox_url: str) -> None:
    channel = SmsRuNotices(f"{sandbox_url}/sms_ru", "wrong")

    with pytest.raises(ProviderRefused):
        await channel.send_notice(PHONE, TEXT)
    await channel.close()


async def test_an_answer_that_comes_too_late_is_no_answer(sandbox_url: str) -> None:
    channel = SmsRuNotices(f"{sandbox_url}/sms_ru", API_ID, timeout=0.1)

    with pytest.raises(ProviderDown):
        await channel.send_notice(PhoneNumber("+79120000004"), TEXT)
    await channel.close()


async def test_the_request_is_one_form_that_is_sent_once() -> None:
    channel, seen = answering(message(status="OK", status_code=100, sms_id="000-1"))

    assert await channel.send_notice(PHONE, TEXT) == "000-1"

    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "http://vendor.test/sms/send")
    assert parse_qs(request.content.decode()) == {
        "api_id": [API_ID], "to": [PHONE.digits], "msg": [TEXT], "json": ["1"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), ProviderDown),
        (httpx.Response(200, text="<html>"), ProviderDown),
        (httpx.Response(200, text="200"), ProviderRefused),
        (httpx.Response(200, json={"status": "ERROR", "status_code": 201}), OutOfMoney),
        (httpx.Response(200, json={"status": "OK"}), ProviderRefused),
        (httpx.Response(200, json={"status": "OK", "sms": []}), ProviderRefused),
        (httpx.Response(200, json={"status": "OK", "sms": {"79000009999": {"status": "OK"}}}), ProviderRefused),
        (message(status="ERROR", status_code=207), NumberNotReachable),
        (message(status="ERROR", status_code="220"), ProviderDown),
        (message(status="ERROR", status_text=f"не найден {PHONE.digits}"), ProviderRefused),
        (message(status="OK"), ProviderRefused),
        (message(status="OK", sms_id=True), ProviderRefused),
    ],
)
async def test_only_delivery_failures_leave_the_adapter_and_none_is_repeated(
    answer: httpx.Response, error: type[DeliveryFailed]
) -> None:
    channel, seen = answering(answer)

    with pytest.raises(DeliveryFailed) as failure:
        await channel.send_notice(PHONE, TEXT)

    assert type(failure.value) is error
    printed = "".join(traceback.format_exception(failure.value))
    assert PHONE.digits not in printed
    assert "пароль" not in printed
    assert len(seen) == 1


async def test_nobody_listening_is_the_provider_being_down() -> None:
    with pytest.raises(ProviderDown):
        await SmsRuNotices(f"http://127.0.0.1:{free_port()}", API_ID).send_notice(PHONE, TEXT)


@pytest.mark.parametrize("text", ["", "а" * 301])
async def test_a_text_that_is_no_short_notice_is_a_mistake_of_the_caller(text: str) -> None:
    channel, seen = answering(message(status="OK", sms_id="1"))

    with pytest.raises(ValueError, match="300"):
        await channel.send_notice(PHONE, text)

    assert not seen


async def test_nothing_secret_is_logged(sandbox_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    channel = SmsRuNotices(f"{sandbox_url}/sms_ru", API_ID)

    await channel.send_notice(PHONE, TEXT)
    await channel.close()

    for secret in (PHONE.digits, API_ID, "пароль"):
        assert secret not in caplog.text
