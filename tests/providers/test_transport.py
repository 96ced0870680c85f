"""How the adapters treat a network and a vendor that misbehave."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback

import httpx
import pytest

from medonline.domain.errors import DeliveryFailed, OutOfMoney, ProviderDown, ProviderRefused
from medonline.providers.codes.telegram_gateway import TelegramGateway
from medonline.providers.codes.ucaller import UCaller
from medonline.services.ports import DeliveryReport
from tests.providers.conftest import build, message
from tests.sandbox.server import free_port

PROVIDERS = ("telegram_gateway", "ucaller", "sms_ru")
PHONE = "+79123456789"
OK_CALL = {"status": True, "ucaller_id": 5, "code": "0427"}


def answering(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport that gives these answers in turn, the last one for ever, and the requests it saw."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        chosen = answers[min(len(seen), len(answers)) - 1]
        if isinstance(chosen, Exception):
            raise chosen
        return chosen

    return httpx.MockTransport(answer), seen


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, text="<html>"), ProviderDown),
        (httpx.Response(200, text=""), ProviderDown),
        (httpx.Response(200, text="[" * 60_000), ProviderDown),
        (httpx.Response(502, json={"ok": True}), ProviderDown),
        (httpx.Response(301, headers={"Location": "https://elsewhere.test"}), ProviderDown),
        (httpx.Response(429, text="slow down"), ProviderDown),
        (httpx.Response(403, text="<html>"), ProviderRefused),
        (httpx.Response(404, text="<html>"), ProviderRefused),
        (httpx.Response(200, json=[]), ProviderRefused),
        (httpx.Response(200, text="null"), ProviderRefused),
        (httpx.Response(200, json={}), ProviderRefused),
        (httpx.Response(200, json={"ok": True, "status": True, "result": {}}), ProviderRefused),
        (httpx.Response(200, json={"ok": True, "status": "OK", "result": []}), ProviderRefused),
        (httpx.ConnectError(PHONE), ProviderDown),
        (httpx.ReadTimeout(PHONE), ProviderDown),
    ],
)
async def test_only_delivery_failures_leave_an_adapter(
    provider: str, answer: httpx.Response | Exception, error: type[DeliveryFailed]
) -> None:
    transport, _ = answering(answer)

    with pytest.raises(DeliveryFailed) as failure:
        await build(provider, "http://vendor.test", transport=transport).send_code(message(PHONE))

    assert type(failure.value) is error
    printed = "".join(traceback.format_exception(failure.value))
    assert PHONE[1:] not in printed
    assert "telegram-token" not in printed


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("answer", "may"),
    [
        (httpx.ConnectError(PHONE), False),
        (httpx.ConnectTimeout(PHONE), False),
        (httpx.ProxyError(PHONE), False),
        (httpx.ReadTimeout(PHONE), True),
        (httpx.ReadError(PHONE), True),
        (httpx.RemoteProtocolError(PHONE), True),
        (httpx.Response(503), True),
        (httpx.Response(200, text="<html>"), True),
        (httpx.Response(200, json=[]), True),
        (httpx.Response(200, json={}), True),
        (httpx.Response(401, text="<html>"), False),
        (httpx.Response(404, text="<html>"), False),
    ],
)
async def test_an_error_says_whether_a_code_may_have_gone_out(
    provider: str, answer: httpx.Response | Exception, *, may: bool
) -> None:
    transport, _ = answering(answer)

    with pytest.raises(DeliveryFailed) as failure:
        await build(provider, "http://vendor.test", transport=transport).send_code(message(PHONE))

    assert failure.value.may_have_gone_out is may


@pytest.mark.parametrize(
    ("provider", "answer", "may"),
    [
        ("ucaller", {"status": False, "code": 1002}, False),
        ("ucaller", {"status": True, "ucaller_id": 7, "code": "call"}, True),
        ("ucaller", {"status": True, "code": "0427"}, True),
        ("sms_ru", {"status": "ERROR", "status_code": 201}, False),
        ("sms_ru", {"status": "OK", "call_id": "7", "code": "call"}, True),
        ("sms_ru", {"status": "OK", "code": "0427"}, True),
        ("telegram_gateway", {"ok": False, "error": "BALANCE_NOT_ENOUGH"}, False),
        ("telegram_gateway", {"ok": True, "result": {}}, True),
    ],
)
async def test_a_refusal_is_certain_only_in_the_vendors_own_words(
    provider: str, answer: dict[str, object], *, may: bool
) -> None:
    transport, _ = answering(httpx.Response(200, json=answer))

    with pytest.raises(DeliveryFailed) as failure:
        await build(provider, "http://vendor.test", transport=transport).send_code(message(PHONE))

    assert failure.value.may_have_gone_out is may


async def test_a_refusal_after_an_attempt_without_answer_is_not_certain() -> None:
    refusal = httpx.Response(200, json={"status": False, "code": 1002})
    for earlier, may in ((httpx.ReadTimeout(""), True), (httpx.ConnectError(""), False)):
        transport, _ = answering(earlier, refusal)
        with pytest.raises(OutOfMoney) as failure:
            await UCaller("http://vendor.test", "k", "1", transport=transport).send_code(message())
        assert failure.value.may_have_gone_out is may


@pytest.mark.parametrize(("provider", "attempts"), [("telegram_gateway", 1), ("ucaller", 3), ("sms_ru", 1)])
async def test_only_an_idempotent_request_is_repeated(provider: str, attempts: int) -> None:
    transport, seen = answering(httpx.Response(500))

    with pytest.raises(ProviderDown):
        await build(provider, "http://vendor.test", transport=transport).send_code(message())

    assert len(seen) == attempts
    assert len({request.content for request in seen}) == 1


async def test_a_repeated_call_carries_the_same_key_and_may_succeed() -> None:
    transport, seen = answering(httpx.ConnectError(""), httpx.Response(200, json=OK_CALL))

    sent = await UCaller("http://vendor.test", "k", "1", transport=transport).send_code(message(key="same"))

    assert sent.provider_ref == "5"
    assert [json.loads(request.content)["unique"] for request in seen] == ["same", "same"]


async def test_a_refusal_is_not_repeated() -> None:
    transport, seen = answering(httpx.Response(200, json={"status": False, "code": 18}))

    with pytest.raises(DeliveryFailed):
        await UCaller("http://vendor.test", "k", "1", transport=transport).send_code(message())

    assert len(seen) == 1


async def test_a_trickling_answer_is_cut_at_the_timeout() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        channel = TelegramGateway(f"http://127.0.0.1:{port}", "t", timeout=0.15)
        started = asyncio.get_running_loop().time()
        with pytest.raises(ProviderDown):
            await channel.send_code(message())
        assert asyncio.get_running_loop().time() - started < 0.6
        await channel.close()


async def test_a_compressed_answer_is_refused_unread() -> None:
    async def stream() -> object:
        pytest.fail("the body was read")
        yield b""

    transport, _ = answering(httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=stream()))

    with pytest.raises(ProviderDown):
        await TelegramGateway("http://vendor.test", "t", transport=transport).send_code(message())


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_check_fails_when_nobody_listens(provider: str) -> None:
    with pytest.raises(ProviderDown):
        await build(provider, f"http://127.0.0.1:{free_port()}").check()


async def test_check_fails_on_a_server_error() -> None:
    transport, _ = answering(httpx.Response(503))

    with pytest.raises(ProviderDown):
        await build("ucaller", "http://vendor.test", transport=transport).check()


@pytest.mark.parametrize("secret", ["ключ", "line\nfeed"])
async def test_a_key_no_header_can_carry_is_a_delivery_failure(secret: str, sandbox_url: str) -> None:
    with pytest.raises(DeliveryFailed) as failure:
        await TelegramGateway(f"{sandbox_url}/telegram", secret).send_code(message())

    assert secret not in "".join(traceback.format_exception(failure.value))


def test_one_adapter_serves_one_event_loop_after_another(sandbox_url: str) -> None:
    channel = build("ucaller", f"{sandbox_url}/ucaller")

    for _ in range(2):
        assert asyncio.run(channel.check())


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_nothing_secret_is_logged(provider: str, sandbox_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    channel = build(provider, f"{sandbox_url}/{provider.removesuffix('_gateway')}")

    await channel.send_code(message("+79123456789", code="8642", key=f"log-{provider}"))
    await channel.close()

    for secret in ("79123456789", "8642", "telegram-token", "ucaller-key", "sms-ru-api-id"):
        assert secret not in caplog.text


@pytest.mark.parametrize(("seconds", "ttl"), [(5, 30), (300, 300), (90_000, 3600)])
async def test_the_life_of_a_code_is_fitted_into_the_gateways_bounds(seconds: int, ttl: int) -> None:
    from dataclasses import replace
    from datetime import timedelta

    transport, seen = answering(httpx.Response(200, json={"ok": True, "result": {"request_id": "1"}}))
    channel = TelegramGateway("http://vendor.test/", "t", callback_url="https://p.test/r", transport=transport)

    await channel.send_code(replace(message(), life=timedelta(seconds=seconds)))

    assert json.loads(seen[0].content) == {
        "phone_number": "+79000001001",
        "code": "0427",
        "ttl": ttl,
        "payload": "key-1",
        "callback_url": "https://p.test/r",
    }
    assert str(seen[0].url) == "http://vendor.test/sendVerificationMessage"


@pytest.mark.parametrize(
    ("answer", "report"),
    [
        ({"delivery_status": {"status": "expired"}}, DeliveryReport.FAILED),
        (
            {"delivery_status": {"status": "expired"}, "verification_status": {"status": "code_valid"}},
            DeliveryReport.DELIVERED,
        ),
        ({"delivery_status": {"status": "revoked"}}, None),
        ({"delivery_status": {"status": "something new"}}, None),
        ({"delivery_status": ["sent"]}, None),
        ({}, None),
    ],
)
async def test_what_is_not_a_delivery_is_told_apart(answer: dict[str, object], report: DeliveryReport | None) -> None:
    transport, _ = answering(httpx.Response(200, json={"ok": True, "result": answer}))

    assert await TelegramGateway("http://vendor.test", "t", transport=transport).delivery_report("1") is report


async def test_telling_the_gateway_what_was_typed_never_fails() -> None:
    transport, seen = answering(httpx.ConnectError(""))

    await TelegramGateway("http://vendor.test", "t", transport=transport).report_entered("1", "123456")

    assert [json.loads(request.content) for request in seen] == [{"request_id": "1", "code": "123456"}]


@pytest.mark.parametrize("status", [7, True, "1", None])
async def test_an_unknown_call_status_is_no_report(status: object) -> None:
    transport, _ = answering(httpx.Response(200, json={"status": True, "call_status": status}))

    assert await UCaller("http://vendor.test", "k", "1", transport=transport).delivery_report("5") is None


@pytest.mark.parametrize("code", ["12345", "12a4", "", None, True, -1, 1.5, "١٢٣٤"])
@pytest.mark.parametrize("provider", ["ucaller", "sms_ru"])
async def test_a_code_no_caller_number_can_end_with_is_refused(provider: str, code: object) -> None:
    status: object = True if provider == "ucaller" else "OK"
    answer = {"status": status, "ucaller_id": 1, "call_id": "1", "code": code}
    transport, _ = answering(httpx.Response(200, json=answer))

    with pytest.raises(ProviderRefused):
        await build(provider, "http://vendor.test", transport=transport).send_code(message())


async def test_sms_ru_hears_whose_browser_asked() -> None:
    transport, seen = answering(httpx.Response(200, json={"status": "OK", "code": 1, "call_id": "9", "cost": 0.4}))
    channel = build("sms_ru", "http://vendor.test", transport=transport)

    sent = await channel.send_code(message(client_ip="2001:db8::1"))
    await channel.send_code(message())

    assert (sent.code, sent.provider_ref, sent.cost) == ("0001", "9", "0.4")
    assert b"ip=2001%3Adb8%3A%3A1" in seen[0].content
    assert b"ip=-1" in seen[1].content
    assert seen[0].url.query == b""
