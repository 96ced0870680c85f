"""What a provider calls an error by is in the log, and means what the provider means by it."""

from __future__ import annotations

import httpx
import pytest

from medonline.domain.errors import (
    DeliveryFailed,
    IdentityRefused,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.providers.notices.sms_ru import SmsRuNotices
from tests.providers.conftest import build, message
from tests.providers.gosuslugi.oidc_script import OidcScript
from tests.providers.gosuslugi.world import Answer, as_json

# What SMS.ru answers in plain text, although JSON was asked for; and what it means.
BARE: list[tuple[str, type[DeliveryFailed], str]] = [
    ("201", OutOfMoney, "201"),
    ("201\n", OutOfMoney, "201"),
    (" 201 ", OutOfMoney, "201"),
    ("\ufeff201", OutOfMoney, "201"),
    ('"201"', OutOfMoney, "201"),
    ("201\r\nНе хватает средств", OutOfMoney, "201"),
    ("301", ProviderRefused, "301"),
    ("200", ProviderRefused, "200"),
    ("202", NumberNotReachable, "202"),
    ("230", NumberRefused, "230"),
    ("220", ProviderDown, "220"),
    ("500", ProviderDown, "500"),
    ("100", ProviderRefused, "100"),
    ("20167", ProviderRefused, "sms_ru"),
    ("2016 rub", ProviderDown, "without JSON"),
    ("<html>201</html>", ProviderDown, "without JSON"),
]
# The same in JSON: the number counts more than the words, and an empty number nothing.
JSON: list[tuple[dict[str, object], type[DeliveryFailed], str]] = [
    ({"status": "ERROR", "status_code": 201, "status_text": None}, OutOfMoney, "201"),
    ({"status": "ERROR", "status_code": "201"}, OutOfMoney, "201"),
    ({"status": "ERROR", "status_code": None, "status_text": "Не хватает средств"}, OutOfMoney, "wording"),
    ({"status": "ERROR", "status_code": "", "status_text": "Не хватает средств"}, OutOfMoney, "wording"),
    ({"status": None, "status_code": 300}, ProviderRefused, "300"),
    ({"status": "", "status_code": 232}, NumberRefused, "232"),
    ({"status": "ERROR"}, ProviderRefused, "refused"),
]


def answering(answer: httpx.Response) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: answer)


@pytest.mark.parametrize(("text", "error", "named"), BARE)
async def test_a_bare_number_of_sms_ru_is_read_as_its_number(
    text: str, error: type[DeliveryFailed], named: str
) -> None:
    transport = answering(httpx.Response(200, text=text))
    calls = build("sms_ru", "http://vendor.test", transport=transport)
    notices = SmsRuNotices("http://vendor.test", "id", transport=transport)

    for sent in (calls.send_code(message()), notices.send_notice(message().phone, "текст")):
        with pytest.raises(DeliveryFailed) as refused:
            await sent
        assert type(refused.value) is error
        assert named in refused.value.detail
        assert refused.value.code in ("", "HTTP 200", named)


@pytest.mark.parametrize(("answer", "error", "named"), JSON)
async def test_sms_rus_number_counts_more_than_its_words(
    answer: dict[str, object], error: type[DeliveryFailed], named: str
) -> None:
    channel = build("sms_ru", "http://vendor.test", transport=answering(httpx.Response(200, json=answer)))

    with pytest.raises(DeliveryFailed) as refused:
        await channel.send_code(message())

    assert type(refused.value) is error
    assert named in refused.value.detail


@pytest.mark.parametrize("nothing", [None, "", "absent"])
@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        (
            "sms_ru",
            {"status": "OK", "code": "0427", "call_id": "1-1", "cost": None, "balance": None, "status_code": None},
        ),
        ("ucaller", {"status": True, "code": "0427", "ucaller_id": 7, "error": None, "unique_request_id": None}),
        (
            "telegram_gateway",
            {"ok": True, "error": None, "result": {"request_id": "7", "request_cost": None, "payload": None}},
        ),
    ],
)
async def test_a_good_answer_may_say_nothing_beside_it(
    provider: str, answer: dict[str, object], nothing: str | None
) -> None:
    said = {
        name: nothing if value is None else value
        for name, value in answer.items()
        if value is not None or nothing != "absent"
    }
    channel = build(provider, "http://vendor.test", transport=answering(httpx.Response(200, json=said)))

    assert (await channel.send_code(message())).code == "0427"


@pytest.mark.parametrize(
    ("provider", "answer", "named"),
    [
        ("ucaller", {"status": False, "error": "Недостаточно средств", "code": 1002}, "1002"),
        ("ucaller", {"status": False, "error": None, "code": "18"}, "18"),
        ("ucaller", {"status": None, "error": "", "code": 1234}, "1234"),
        ("telegram_gateway", {"ok": False, "error": "BALANCE_NOT_ENOUGH"}, "BALANCE_NOT_ENOUGH"),
        ("telegram_gateway", {"ok": None, "result": None, "error": "ACCESS_TOKEN_INVALID"}, "ACCESS_TOKEN_INVALID"),
        ("telegram_gateway", {"ok": False, "error": "SOMETHING_NEW"}, "SOMETHING_NEW"),
    ],
)
async def test_the_code_of_an_error_is_in_its_detail(provider: str, answer: dict[str, object], named: str) -> None:
    channel = build(provider, "http://vendor.test", transport=answering(httpx.Response(200, json=answer)))

    with pytest.raises(DeliveryFailed) as refused:
        await channel.send_code(message())

    assert named in refused.value.detail
    assert refused.value.code == named


@pytest.mark.parametrize(
    ("error", "named"),
    [
        ("invalid_grant", "invalid_grant"),
        ("invalid_client", "invalid_client"),
        ("E-1017", "E-1017"),
        (1017, "1017"),
        ("ваш код Агриппина", ""),
        ("x y", ""),
        (["invalid_grant"], ""),
    ],
)
async def test_a_gateways_code_is_in_the_log_and_its_sentences_are_not(
    gateway: OidcScript, error: object, named: str
) -> None:
    gateway.server.always("/token", as_json({"error": error, "error_description": "Агриппина"}, 400))

    with pytest.raises(IdentityRefused) as refused:
        await gateway.fetch()

    assert refused.value.detail == "oidc: the token endpoint refused, HTTP 400" + (f", {named}" if named else "")


async def test_an_error_of_userinfo_is_named(gateway: OidcScript) -> None:
    gateway.server.always("/userinfo", as_json({"error": "insufficient_scope"}, 403))
    with pytest.raises(IdentityRefused, match="HTTP 403, insufficient_scope"):
        await gateway.fetch()

    gateway.server.always("/userinfo", Answer(b"<html>", 401, "text/html"))
    with pytest.raises(IdentityRefused, match="HTTP 401 without JSON"):
        await gateway.fetch()
