"""Notices in the words of SMS Aero: the request, and its answers."""

from __future__ import annotations

import json
from base64 import b64encode

import httpx
import pytest

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, OutOfMoney, ProviderDown, ProviderRefused
from tests.providers.notices.vendors import PHONE, TEXT, answering, assert_refused
from tests.sandbox.server import AERO_EMAIL, AERO_KEY


async def test_the_request_is_one_post_that_is_sent_once() -> None:
    sent = {"success": True, "data": {"id": 7}, "message": None}
    channel, seen = answering("sms_aero", httpx.Response(200, json=sent))

    assert await channel.send_notice(PHONE, TEXT) == "7"

    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "http://vendor.test/v2/sms/send")
    assert request.headers["Authorization"] == f"Basic {b64encode(f'{AERO_EMAIL}:{AERO_KEY}'.encode()).decode()}"
    assert json.loads(request.content) == {"number": PHONE.digits, "text": TEXT, "sign": "clinic"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), ProviderDown),
        (httpx.Response(200, text="<html>"), ProviderDown),
        (httpx.Response(200, json=[]), ProviderRefused),
        (httpx.Response(200, json={"success": True, "data": None}), ProviderRefused),
        (httpx.Response(200, json={"success": True, "data": {"id": True}}), ProviderRefused),
        (httpx.Response(200, json={"result": "no credits"}), OutOfMoney),
        (httpx.Response(400, json={"success": False, "message": f"number {PHONE.digits}"}), NumberNotReachable),
    ],
)
async def test_only_delivery_failures_leave_the_adapter_and_none_is_repeated(
    answer: httpx.Response, error: type[DeliveryFailed]
) -> None:
    await assert_refused("sms_aero", answer, error)
