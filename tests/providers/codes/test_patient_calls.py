"""Numbers that patients call: both vendors against their stand-ins over a socket, and against answers in the vendors' words."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode

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
from medonline.providers.codes.sms_ru_call import SmsRuCall
from medonline.providers.codes.ucaller_call import UCallerCall
from medonline.services.ports import CodeChannel, DeliveryReport, ForgedReport, NamesCaller, SignsReports, TellsBalance
from tests.providers.conftest import message
from tests.sandbox.server import API_ID, KEY, SERVICE_ID, receiving, running_sandbox, settings

VENDORS = ("sms_ru", "ucaller")
PHONE = "+79000001001"
ADDED = {"status": "OK", "status_code": 100, "check_id": "201737-542", "call_phone": "78005008275"}
WAITING = {"status": True, "ucaller_id": 103000, "phone": 79000001001, "confirmation_number": "74951200199"}
# Of the vendor's documentation: the form of a report, and its hash.
DATA = "callcheck_status\n201737-542\n401\n1700000000"
HASH = "5982a67cf5e0878a7a669e6d2bba3f3b361c79cc90a529d1fe3cd89f1b1cb7c6"


def build(vendor: str, base_url: str, *, secret: str = "", report: str = "", **options: Any) -> CodeChannel:
    if vendor == "sms_ru":
        return SmsRuCall(base_url, secret or API_ID, **options)
    where = report or "http://127.0.0.1:9/report"
    return UCallerCall(
        base_url, secret or KEY, SERVICE_ID, callback_url=lambda code_id: f"{where}/{code_id}", **options
    )


def answering(vendor: str, answer: object, status: int = 200) -> CodeChannel:
    """The vendor, whose answers are all this one; a text is no JSON."""
    content = {"text": answer} if isinstance(answer, str) else {"json": answer}
    return build(
        vendor, "http://vendor.test", transport=httpx.MockTransport(lambda _: httpx.Response(status, **content))
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_sandbox(settings()) as address:
        yield address


@pytest.fixture(params=VENDORS)
async def vendor(request: pytest.FixtureRequest, url: str) -> AsyncIterator[CodeChannel]:
    channel = build(request.param, f"{url}/{request.param}")
    yield channel
    await channel.close()


async def dial(url: str, number: str, phone: str = PHONE, how: str = "own") -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{url}/dialler", data={"number": phone, "to": number, "from": how})
    return answer.text


async def test_a_number_to_call_is_named_and_nobody_is_called(vendor: CodeChannel, url: str) -> None:
    sent = await vendor.send_code(message(PHONE, key="names"))

    assert (sent.code, len(sent.call_number), sent.call_number[:2]) == ("", 12, "+7")
    assert await vendor.delivery_report(sent.provider_ref) is None
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{url}/phone/{PHONE}/events")).json() == []


async def test_sms_ru_tells_of_a_call_from_the_phone_alone(url: str) -> None:
    vendor = build("sms_ru", f"{url}/sms_ru")
    sent = await vendor.send_code(message(PHONE))
    for how in ("other", "hidden"):
        await dial(url, sent.call_number, how=how)
        assert await vendor.delivery_report(sent.provider_ref) is None
    await dial(url, "+74951200199")  # another vendor's number
    assert await vendor.delivery_report(sent.provider_ref) is None
    assert "сброшен" in await dial(url, sent.call_number)

    assert await vendor.delivery_report(sent.provider_ref) is DeliveryReport.DELIVERED
    await vendor.close()


@pytest.mark.parametrize(
    ("status", "report"),
    [
        ("400", None),
        (400, None),
        ("401", DeliveryReport.DELIVERED),
        (401, DeliveryReport.DELIVERED),
        ("402", DeliveryReport.FAILED),
        (402, DeliveryReport.FAILED),
        (True, None),
        (None, None),
        ("403", None),
    ],
)
async def test_a_status_is_a_text_or_a_number(status: object, report: DeliveryReport | None) -> None:
    vendor = answering("sms_ru", {"status": "OK", "status_code": 100, "check_status": status})
    assert await vendor.delivery_report("callcheck-201737-542") is report


async def test_sms_ru_is_asked_by_its_own_id() -> None:
    asked: list[dict[str, list[str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(parse_qs(request.content.decode()))
        return httpx.Response(200, json=ADDED | {"check_status": "400"})

    vendor = build("sms_ru", "http://vendor.test", transport=httpx.MockTransport(answer))
    sent = await vendor.send_code(message(PHONE))
    await vendor.delivery_report(sent.provider_ref)

    assert sent.provider_ref == "callcheck-201737-542"
    assert sent.call_number == "+78005008275"
    assert asked[0] == {"api_id": [API_ID], "phone": [PHONE[1:]], "json": ["1"]}
    assert asked[1] == {"api_id": [API_ID], "check_id": ["201737-542"], "json": ["1"]}


async def test_ucaller_is_told_an_address_for_this_code_alone() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=WAITING)

    vendor = build("ucaller", "http://vendor.test", transport=httpx.MockTransport(answer))
    sent = await vendor.send_code(message(PHONE, key="a-code"))

    assert (sent.provider_ref, sent.call_number) == ("waiting-103000", "+74951200199")
    assert (asked[0].method, asked[0].url.path) == ("GET", "/v1.0/inboundCallWaiting")
    assert dict(asked[0].url.params) == {
        "phone": PHONE[1:],
        "callback_url": "http://127.0.0.1:9/report/a-code",
        "service_id": SERVICE_ID,
        "key": KEY,
    }


@pytest.mark.parametrize(
    ("vendor_name", "suffix", "error"),
    [
        ("sms_ru", "0002", OutOfMoney),
        ("sms_ru", "0003", ProviderDown),
        ("sms_ru", "0009", NumberNotReachable),
        ("sms_ru", "0010", NumberNotReachable),
        ("sms_ru", "0012", NumberRefused),
        ("sms_ru", "0014", ProviderDown),
        ("sms_ru", "0016", ProviderRefused),
        ("sms_ru", "0017", OutOfMoney),
        ("ucaller", "0002", OutOfMoney),
        ("ucaller", "0003", ProviderDown),
        ("ucaller", "0005", NumberRefused),
        ("ucaller", "0009", NumberNotReachable),
        ("ucaller", "0014", ProviderDown),
        ("ucaller", "0016", ProviderRefused),
    ],
)
async def test_after_any_error_another_vendor_may_be_asked(
    url: str, vendor_name: str, suffix: str, error: type[DeliveryFailed]
) -> None:
    vendor = build(vendor_name, f"{url}/{vendor_name}")
    with pytest.raises(DeliveryFailed) as failure:
        await vendor.send_code(message(phone=f"+7912345{suffix}"))

    assert type(failure.value) is error
    assert failure.value.may_have_gone_out is False
    for secret in (f"345{suffix}", API_ID, KEY):
        assert secret not in str(failure.value)
    await vendor.close()


@pytest.mark.parametrize("vendor_name", VENDORS)
@pytest.mark.parametrize("number", [None, "", "112", "+1 202 555 01 23", "7800500", True, "не номер", ["78005008275"]])
async def test_patients_are_sent_to_no_number_that_is_not_russian(vendor_name: str, number: object) -> None:
    answer = ADDED | {"call_phone": number} if vendor_name == "sms_ru" else WAITING | {"confirmation_number": number}
    with pytest.raises(ProviderRefused):
        await answering(vendor_name, answer).send_code(message(PHONE))


async def test_a_key_that_is_not_taken_is_the_operators_trouble(url: str) -> None:
    for name in VENDORS:
        vendor = build(name, f"{url}/{name}", secret="wrong")
        with pytest.raises(ProviderRefused) as refusal:
            await vendor.send_code(message(PHONE))
        assert refusal.value.of_key
        await vendor.close()


async def test_both_have_a_check_and_a_balance(vendor: CodeChannel) -> None:
    assert " is accepted" in await vendor.check()
    assert isinstance(vendor, TellsBalance)
    assert vendor.idempotent


def signed(*data: str, api_id: str = "API-ID", **changes: str) -> bytes:
    fields = {f"data[{number}]": one for number, one in enumerate(data)}
    fields["hash"] = hashlib.sha256((api_id + "".join(data)).encode()).hexdigest()
    return urlencode(fields | changes).encode()


def signing() -> SignsReports:
    vendor = build("sms_ru", "http://vendor.test", secret="API-ID")
    assert isinstance(vendor, SignsReports)
    return vendor


def test_the_vendors_own_example_of_a_report_is_read() -> None:
    body = urlencode({"data[0]": DATA, "hash": HASH}).encode()
    assert signing().read_report(body) == ["callcheck-201737-542"]


def test_a_report_may_tell_of_several_things_in_any_order_of_its_fields() -> None:
    sms, call = "sms_status\n201737-1000\n103\n1700000000", DATA
    hashed = hashlib.sha256(f"API-ID{sms}{call}".encode()).hexdigest()
    body = urlencode({"hash": hashed, "data[1]": call, "data[0]": sms}).encode()

    assert signing().read_report(body) == ["201737-1000", "callcheck-201737-542"]
    assert signing().read_report(signed("balance\n1\n2\n3")) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        urlencode({"data[0]": DATA}).encode(),
        urlencode({"data[0]": DATA, "hash": ""}).encode(),
        urlencode({"data[0]": DATA, "hash": HASH[:-1] + "7"}).encode(),
        urlencode({"data[0]": DATA, "hash": "хеш"}).encode(),
        urlencode({"data[0]": DATA.replace("542", "543"), "hash": HASH}).encode(),
        urlencode({"hash": hashlib.sha256(b"API-ID").hexdigest()}).encode(),
        signed(DATA, api_id="another"),
        "&".join(f"data[{number}]=1" for number in range(500)).encode(),
    ],
)
def test_a_report_with_another_hash_is_refused(body: bytes) -> None:
    with pytest.raises(ForgedReport):
        signing().read_report(body)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ({"callId": "103000", "clientNumber": "79000001001"}, ("waiting-103000", PHONE)),
        ({"callId": 103000, "clientNumber": "+7 900 000-10-01", "isMnp": False}, ("waiting-103000", PHONE)),
        ({"callId": "103000", "clientNumber": ""}, None),
        ({"callId": "103000"}, None),
        ({"callId": True, "clientNumber": "79000001001"}, None),
        ({"clientNumber": "79000001001"}, None),
        (["79000001001"], None),
        ("{", None),
    ],
)
def test_a_report_of_ucaller_names_the_call_and_the_caller(body: object, read: tuple[str, str] | None) -> None:
    vendor = build("ucaller", "http://vendor.test")
    assert isinstance(vendor, NamesCaller)
    told = vendor.read_call(body.encode() if isinstance(body, str) else json.dumps(body).encode())
    assert (None if told is None else (told[0], told[1].e164)) == read


async def test_the_stand_in_of_ucaller_reports_a_call_from_the_phone_alone(url: str) -> None:
    async with receiving() as receiver:
        vendor = build("ucaller", f"{url}/ucaller", report=receiver.url)
        sent = await vendor.send_code(message("+79000001002", key="a-code"))
        for how in ("other", "hidden"):
            await dial(url, sent.call_number, "+79000001002", how)
        await dial(url, sent.call_number, "+79000001002")
        await receiver.wait_for(1)

        assert isinstance(vendor, NamesCaller)
        told = vendor.read_call(receiver.reports[0][1])
        assert told is not None
        assert (told[0], told[1].e164) == (sent.provider_ref, "+79000001002")
        await asyncio.sleep(0)
        assert len(receiver.reports) == 1
        await vendor.close()


async def test_the_stand_in_of_sms_ru_signs_and_wants_100() -> None:
    async with receiving() as receiver:
        with running_sandbox(settings(sms_ru_report_url=receiver.url)) as url:
            vendor = build("sms_ru", f"{url}/sms_ru")
            sent = await vendor.send_code(message(PHONE))
            await dial(url, sent.call_number)
            await receiver.wait_for(2)  # it was answered with 200 and an empty body

            assert isinstance(vendor, SignsReports)
            assert {tuple(vendor.read_report(body)) for _, body in receiver.reports} == {(sent.provider_ref,)}
            await vendor.close()
