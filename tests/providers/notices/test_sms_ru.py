"""Notices in the words of SMS.ru: the request, and its answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, OutOfMoney, ProviderDown, ProviderRefused
from medonline.domain.phone import PhoneNumber
from tests.providers.notices.vendors import PHONE, TEXT, answering, assert_refused, build
from tests.sandbox.server import API_ID


def message(**facts: Any) -> httpx.Response:
    return httpx.Response(200, json={"status": "OK", "status_code": 100, "sms": {PHONE.digits: facts}, "balance": 1.5})


async def test_the_request_is_one_form_that_is_sent_once() -> None:
    channel, seen = answering("sms_ru", message(status="OK", status_code=100, sms_id="000-1"))

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
    await assert_refused("sms_ru", answer, error)


async def test_a_vendor_that_is_busy_is_down_for_now(sandbox_url: str) -> None:
    channel = build("sms_ru", f"{sandbox_url}/sms_ru")

    with pytest.raises(ProviderDown):
        await channel.send_notice(PhoneNumber("+79120000013"), TEXT)
    await channel.close()
