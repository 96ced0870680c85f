"""What every code channel promises, checked against the sandbox and against recorded vendor answers."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.services.ports import DeliveryReport, TellsBalance
from tests.providers.conftest import MakeChannel, message
from tests.sandbox.server import PACE

PROVIDERS = ("telegram_gateway", "ucaller", "sms_ru")
SLOW = "0004"
PATIENT = 5.0  # seconds: a busy machine is not a provider that is down
BROKEN = [(provider, suffix, ProviderDown) for provider in PROVIDERS for suffix in ("0003", SLOW, "0014", "0015")]
ERRORS: list[tuple[str, str, type[DeliveryFailed]]] = [
    ("telegram_gateway", "0001", NumberNotReachable),
    ("telegram_gateway", "0002", OutOfMoney),
    ("telegram_gateway", "0005", NumberRefused),
    ("telegram_gateway", "0009", NumberNotReachable),
    ("telegram_gateway", "0010", NumberNotReachable),
    ("telegram_gateway", "0011", ProviderRefused),
    ("ucaller", "0002", OutOfMoney),
    ("ucaller", "0005", NumberRefused),
    ("ucaller", "0009", NumberNotReachable),
    ("ucaller", "0010", NumberNotReachable),
    ("ucaller", "0011", NumberRefused),
    ("ucaller", "0012", NumberRefused),
    ("ucaller", "0013", NumberRefused),
    ("ucaller", "0016", ProviderRefused),
    ("sms_ru", "0002", OutOfMoney),
    ("sms_ru", "0005", NumberRefused),
    ("sms_ru", "0009", NumberNotReachable),
    ("sms_ru", "0010", NumberNotReachable),
    ("sms_ru", "0011", NumberRefused),
    ("sms_ru", "0012", NumberRefused),
    ("sms_ru", "0013", ProviderDown),
    ("sms_ru", "0016", ProviderRefused),
    ("sms_ru", "0017", OutOfMoney),
    *BROKEN,
]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_code_goes_out_with_a_reference(make_channel: MakeChannel, provider: str) -> None:
    channel = make_channel(provider)

    sent = await channel.send_code(message(key=f"goes-out-{provider}"))

    assert channel.provider == provider
    assert channel.idempotent == (provider == "ucaller")
    assert sent.provider_ref
    assert len(sent.code) == 4
    assert sent.code.isdigit()
    if provider != "sms_ru":
        assert sent.code == "0427"


@pytest.mark.parametrize(("provider", "suffix", "error"), ERRORS)
async def test_each_vendor_error_becomes_a_domain_error(
    make_channel: MakeChannel, provider: str, suffix: str, error: type[DeliveryFailed]
) -> None:
    channel = make_channel(provider, timeout=0.2 if suffix == SLOW else PATIENT)

    with pytest.raises(DeliveryFailed) as failure:
        await channel.send_code(message(phone=f"+7912345{suffix}", key=f"error-{suffix}"))

    assert type(failure.value) is error
    assert failure.value.__cause__ is None
    for secret in ("0427", f"345{suffix}", f"error-{suffix}", "telegram-token", "ucaller-key", "sms-ru-api-id"):
        assert secret not in str(failure.value)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_wrong_credentials_are_the_operators_trouble(make_channel: MakeChannel, provider: str) -> None:
    channel = make_channel(provider, secret="wrong")

    with pytest.raises(ProviderRefused) as refusal:
        await channel.send_code(message(key=f"wrong-{provider}"))
    assert refusal.value.of_key


@pytest.mark.parametrize("provider", ["ucaller", "sms_ru"])
async def test_a_code_that_came_as_a_number_gets_its_zeros_back(make_channel: MakeChannel, provider: str) -> None:
    sent = await make_channel(provider).send_code(message(phone="+79123450008", key=f"zeros-{provider}"))

    assert len(sent.code) == 4
    assert sent.code.startswith("0")


async def test_the_code_that_counts_is_the_one_ucaller_called_with(make_channel: MakeChannel) -> None:
    sent = await make_channel("ucaller").send_code(message(phone="+79123450007", key="other-code"))

    assert sent.code == "4748"


async def test_a_telegram_report_moves_from_sent_to_read(make_channel: MakeChannel) -> None:
    channel = make_channel("telegram_gateway")
    sent = await channel.send_code(message(code="123456"))

    reports = await _reports(channel.delivery_report, sent.provider_ref)

    assert reports == [DeliveryReport.SENT, DeliveryReport.DELIVERED, DeliveryReport.READ]


async def test_a_ucaller_report_moves_from_sent_to_delivered(make_channel: MakeChannel) -> None:
    channel = make_channel("ucaller")
    sent = await channel.send_code(message(key="report"))

    reports = await _reports(channel.delivery_report, sent.provider_ref)

    assert reports == [DeliveryReport.SENT, DeliveryReport.DELIVERED]


async def test_sms_ru_never_reports(make_channel: MakeChannel) -> None:
    assert await make_channel("sms_ru").delivery_report("000000-10000000") is None


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_check_says_where_the_provider_answers(make_channel: MakeChannel, provider: str) -> None:
    said = await make_channel(provider).check()

    assert "answers at http://" in said
    assert " is accepted" in said


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_check_tells_a_key_that_is_not_taken(make_channel: MakeChannel, provider: str) -> None:
    with pytest.raises(ProviderRefused) as refusal:
        await make_channel(provider, secret="wrong").check()

    assert refusal.value.of_key


@pytest.mark.parametrize("provider", ["ucaller", "sms_ru"])
async def test_the_balance_is_told_in_roubles(make_channel: MakeChannel, provider: str, world: str) -> None:
    channel = make_channel(provider)

    assert isinstance(channel, TellsBalance)
    assert await channel.balance() == Decimal("130.50" if world == "recorded" else "4122.56")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_channel_works_again_after_close(make_channel: MakeChannel, provider: str) -> None:
    channel = make_channel(provider)
    await channel.check()
    await channel.close()

    assert await channel.check()


async def _reports(ask: object, provider_ref: str) -> list[DeliveryReport]:
    """The different states seen one after another, until nothing new comes for a few paces."""
    seen: list[DeliveryReport] = []
    for _ in range(16):
        report = await ask(provider_ref)
        if report not in seen:
            seen.append(report)
        await asyncio.sleep(PACE / 4)
    return seen
