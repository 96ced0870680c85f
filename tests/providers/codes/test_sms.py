"""Codes by SMS: both vendors against their stand-ins over a socket, and against answers in the vendors' words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from medonline.domain.codes.sms_text import sms_text
from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.providers.codes.sms_aero import SmsAero
from medonline.providers.codes.sms_ru_text import SmsRuText
from medonline.services.ports import CodeChannel, DeliveryReport
from tests.providers.conftest import message
from tests.providers.refused_numbers import REFUSED
from tests.sandbox.server import AERO_EMAIL, AERO_KEY, API_ID, PACE, running_sandbox, settings

VENDORS = ("sms_ru", "sms_aero")
TEXT = partial(sms_text, "Код {code}. Никому не сообщайте.", host="lk.example.ru")
OK_RU = {"status": "OK", "status_code": 100, "sms": {"79123456789": {"status": "OK", "sms_id": "1-1", "cost": "5.1"}}}


def text(code: str) -> str:
    return TEXT(code=code)


def build(vendor: str, base_url: str, secret: str = "", **options: Any) -> CodeChannel:
    if vendor == "sms_ru":
        return SmsRuText(base_url, secret or API_ID, text, **options)
    return SmsAero(base_url, AERO_EMAIL, secret or AERO_KEY, text, sign="medonline", **options)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_sandbox(settings()) as address:
        yield address


@pytest.fixture(params=VENDORS)
async def vendor(request: pytest.FixtureRequest, url: str) -> AsyncIterator[CodeChannel]:
    channel = build(request.param, f"{url}/{request.param}")
    yield channel
    await channel.close()


async def last_sms(url: str, phone: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        events = (await http.get(f"{url}/phone/{phone}/events")).json()
    return str([event for event in events if event["kind"] == "sms"][-1]["text"])


async def end_of(channel: CodeChannel, reference: str) -> DeliveryReport | None:
    async with asyncio.timeout(30):
        while (report := await channel.delivery_report(reference)) is DeliveryReport.SENT:
            await asyncio.sleep(PACE)
    return report


async def test_the_phone_gets_the_code_and_the_line_for_browsers(vendor: CodeChannel, url: str) -> None:
    sent = await vendor.send_code(message(phone="+79123450101", code="042719"))

    assert sent.code == "042719"
    assert await last_sms(url, "+79123450101") == text("042719")
    assert await end_of(vendor, sent.provider_ref) is DeliveryReport.DELIVERED


@pytest.mark.parametrize(
    ("suffix", "ends"),
    [
        ("0018", {DeliveryReport.NO_ROUTE}),
        ("0019", {DeliveryReport.FAILED}),
        ("0021", {DeliveryReport.STOP_LIST, DeliveryReport.NO_ROUTE}),
    ],
)
async def test_what_an_operator_does_not_deliver_is_told_with_its_reason(
    vendor: CodeChannel, suffix: str, ends: set[DeliveryReport]
) -> None:
    sent = await vendor.send_code(message(phone=f"+7912345{suffix}", code="042719"))

    assert await end_of(vendor, sent.provider_ref) in ends


@pytest.mark.parametrize(("suffix", "error"), REFUSED)
async def test_each_refusal_is_a_domain_error_without_secrets(
    vendor: CodeChannel, suffix: str, error: type[DeliveryFailed]
) -> None:
    with pytest.raises(DeliveryFailed) as failure:
        await vendor.send_code(message(phone=f"+7912345{suffix}", code="042719"))

    assert type(failure.value) is error
    assert failure.value.__cause__ is None
    assert not any(secret in str(failure.value) for secret in ("042719", f"345{suffix}", API_ID, AERO_KEY))


@pytest.mark.parametrize("name", VENDORS)
async def test_wrong_credentials_are_the_operators_trouble(url: str, name: str) -> None:
    channel = build(name, f"{url}/{name}", "wrong")
    with pytest.raises(ProviderRefused):
        await channel.send_code(message(code="042719"))
    await channel.close()


async def test_check_sends_nothing_and_says_where_the_vendor_answers(vendor: CodeChannel) -> None:
    assert "answers at http://" in await vendor.check()
    assert not vendor.idempotent


@pytest.mark.parametrize(
    ("number", "report"),
    [
        (-1, None),
        (100, "sent"),
        (102, "sent"),
        (103, "delivered"),
        (104, "failed"),
        (108, "failed"),
        (150, "no_route"),
        (209, "stop_list"),
        ("x", None),
    ],
)
async def test_each_number_of_sms_ru_has_its_meaning(number: object, report: str | None) -> None:
    answer = {"status": "OK", "status_code": 100, "sms": {"1-1": {"status": "OK", "status_code": number}}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))

    assert await build("sms_ru", "http://vendor.test", transport=transport).delivery_report("1-1") == report


@pytest.mark.parametrize(
    ("status", "report"),
    [(0, "sent"), (1, "delivered"), (2, "failed"), (6, "no_route"), (99, None), ("1", None), (True, None)],
)
async def test_each_status_of_sms_aero_has_its_meaning(status: object, report: str | None) -> None:
    answer = {"success": True, "data": {"id": 7, "status": status}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))

    assert await build("sms_aero", "http://vendor.test", transport=transport).delivery_report("7") == report


async def test_the_request_to_sms_ru_names_the_sender_and_the_patients_address() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=OK_RU)

    channel = build("sms_ru", "http://vendor.test", sender="clinic", transport=httpx.MockTransport(answer))
    sent = await channel.send_code(message(phone="+79123456789", code="042719", client_ip="192.0.2.7"))

    fields = dict(httpx.QueryParams(seen[0].content.decode()))
    assert (fields["from"], fields["ip"], fields["to"]) == ("clinic", "192.0.2.7", "79123456789")
    assert (sent.provider_ref, sent.cost) == ("1-1", "5.1")
    assert seen[0].url.query == b""


async def test_a_reference_of_sms_aero_that_is_no_number_is_asked_after_as_it_is() -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, json={"success": True, "data": {"id": "a-7", "status": 1}})

    channel = build("sms_aero", "http://vendor.test", transport=httpx.MockTransport(answer))
    sent = await channel.send_code(message(code="042719"))

    assert await channel.delivery_report(sent.provider_ref) is DeliveryReport.DELIVERED
    assert seen[-1] == b'{"id":"a-7"}'


@pytest.mark.parametrize(
    ("number", "error", "reserve_may_send"),
    [
        (201, OutOfMoney, True),
        (204, ProviderRefused, True),
        (206, ProviderRefused, True),
        (220, ProviderDown, True),
        (200, ProviderRefused, True),
        (301, ProviderRefused, True),
        (202, NumberNotReachable, True),
        (207, NumberNotReachable, True),
        (150, NumberNotReachable, True),
        (209, NumberRefused, True),
        (230, NumberRefused, True),
        (233, NumberRefused, True),
    ],
)
async def test_each_refusal_of_sms_ru_says_that_nothing_went_out(
    number: int, error: type[DeliveryFailed], reserve_may_send: bool
) -> None:
    answer = {
        "status": "OK",
        "status_code": 100,
        "sms": {"79123456789": {"status": "ERROR", "status_code": number, "status_text": "x"}},
    }
    channel = build(
        "sms_ru", "http://vendor.test", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    )
    with pytest.raises(error) as refused:
        await channel.send_code(message(phone="+79123456789", code="042719"))

    assert refused.value.may_have_gone_out is not reserve_may_send
