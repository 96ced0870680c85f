"""Notices by SMS Aero: what arrives on the demo phone, and how refusals are told apart; the account is the one of the codes."""

from __future__ import annotations

import json
import logging
import traceback
from base64 import b64encode

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
from medonline.providers.notices.sms_aero import SmsAeroNotices
from tests.patience import PATIENCE
from tests.sandbox.server import AERO_EMAIL, AERO_KEY, free_port

PHONE = PhoneNumber("+79000001043")
TEXT = "Медицина-онлайн: пароль изменён. Если это не вы, позвоните в регистратуру."


def at(url: str, key: str = AERO_KEY, timeout: float = 5.0) -> SmsAeroNotices:
    return SmsAeroNotices(f"{url}/sms_aero", AERO_EMAIL, key, sign="clinic", timeout=timeout)


def answering(answer: httpx.Response) -> tuple[SmsAeroNotices, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def give(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    transport = httpx.MockTransport(give)
    return SmsAeroNotices("http://vendor.test", AERO_EMAIL, AERO_KEY, sign="clinic", transport=transport), seen


async def test_a_notice_arrives_on_the_demo_phone(sandbox_url: str) -> None:
    channel = at(sandbox_url)
    reference = await channel.send_notice(PHONE, TEXT)
    await channel.close()

    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=PATIENCE) as http:
        events = (await http.get(f"/phone/{PHONE.e164}/events")).json()
    assert reference
    assert [(event["kind"], event["from"], event["text"]) for event in events] == [("sms", "clinic", TEXT)]


@pytest.mark.parametrize(
    ("suffix", "error"),
    [
        ("0002", OutOfMoney),
        ("0003", ProviderDown),
        ("0005", NumberRefused),
        ("0009", NumberNotReachable),
        ("0010", NumberNotReachable),
        ("0012", NumberRefused),
        ("0014", ProviderDown),
        ("0016", ProviderRefused),
    ],
)
async def test_magic_numbers_fail_as_they_do_for_codes(
    sandbox_url: str, suffix: str, error: type[DeliveryFailed]
) -> None:
    channel = at(sandbox_url)
    with pytest.raises(DeliveryFailed) as failure:
        await channel.send_notice(PhoneNumber(f"+7912000{suffix}"), TEXT)
    await channel.close()

    assert type(failure.value) is error


async def test_check_asks_for_the_balance_and_sends_nothing(sandbox_url: str) -> None:
    right, wrong = at(sandbox_url), at(sandbox_url, "wrong")

    assert "The key is accepted." in await right.check()
    with pytest.raises(ProviderRefused) as refusal:
        await wrong.check()
    assert refusal.value.of_key
    await right.close()
    await wrong.close()


async def test_an_answer_that_comes_too_late_may_have_gone_out(sandbox_url: str) -> None:
    channel = at(sandbox_url, timeout=0.1)
    with pytest.raises(ProviderDown) as failure:
        await channel.send_notice(PhoneNumber("+79120000004"), TEXT)
    await channel.close()

    assert failure.value.may_have_gone_out


async def test_nobody_listening_certainly_sent_nothing() -> None:
    channel = at(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ProviderDown) as failure:
        await channel.send_notice(PHONE, TEXT)
    await channel.close()

    assert not failure.value.may_have_gone_out


async def test_the_request_is_one_post_that_is_sent_once() -> None:
    channel, seen = answering(httpx.Response(200, json={"success": True, "data": {"id": 7}, "message": None}))

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
    channel, seen = answering(answer)

    with pytest.raises(DeliveryFailed) as failure:
        await channel.send_notice(PHONE, TEXT)

    assert type(failure.value) is error
    printed = "".join(traceback.format_exception(failure.value))
    assert not any(secret in printed for secret in (PHONE.digits, "пароль", AERO_KEY))
    assert len(seen) == 1


@pytest.mark.parametrize("text", ["", "а" * 301])
async def test_a_text_that_is_no_short_notice_is_a_mistake_of_the_caller(text: str) -> None:
    channel, seen = answering(httpx.Response(200, json={}))

    with pytest.raises(ValueError, match="300"):
        await channel.send_notice(PHONE, text)

    assert not seen


async def test_nothing_secret_is_logged(sandbox_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    channel = at(sandbox_url)
    await channel.send_notice(PhoneNumber("+79000001044"), TEXT)
    await channel.close()

    assert not any(secret in caplog.text for secret in ("79000001044", AERO_KEY, "пароль"))
