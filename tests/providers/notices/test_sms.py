"""Notices by SMS, whoever carries them: what arrives on the demo phone, and how refusals are told apart."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from medonline.domain.errors import DeliveryFailed, ProviderDown, ProviderRefused
from medonline.domain.phone import PhoneNumber
from medonline.services.ports import NoticeChannel
from tests.patience import PATIENCE
from tests.providers.notices.vendors import PHONE, SECRETS, TEXT, answering, build
from tests.providers.refused_numbers import REFUSED
from tests.sandbox.server import free_port


@pytest.fixture(params=sorted(SECRETS))
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def channel(vendor: str, sandbox_url: str) -> AsyncIterator[NoticeChannel]:
    channel = build(vendor, f"{sandbox_url}/{vendor}")
    yield channel
    await channel.close()


@pytest.mark.parametrize(
    ("vendor", "phone", "sender"),
    [("sms_ru", "+79000001042", "medonline"), ("sms_aero", "+79000001043", "clinic")],
)
async def test_a_notice_arrives_on_the_demo_phone(
    channel: NoticeChannel, sandbox_url: str, phone: str, sender: str
) -> None:
    reference = await channel.send_notice(PhoneNumber(phone), TEXT)

    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=PATIENCE) as http:
        events = (await http.get(f"/phone/{phone}/events")).json()
    assert reference
    assert [(event["kind"], event["from"], event["text"]) for event in events] == [("sms", sender, TEXT)]


@pytest.mark.parametrize(("suffix", "error"), [*REFUSED, ("0015", ProviderDown)])
async def test_magic_numbers_fail_as_they_do_for_codes(
    channel: NoticeChannel, suffix: str, error: type[DeliveryFailed]
) -> None:
    with pytest.raises(DeliveryFailed) as failure:
        await channel.send_notice(PhoneNumber(f"+7912000{suffix}"), TEXT)

    assert type(failure.value) is error


async def test_a_wrong_key_sends_nothing_and_check_tells_it(
    vendor: str, channel: NoticeChannel, sandbox_url: str
) -> None:
    wrong = build(vendor, f"{sandbox_url}/{vendor}", "wrong")

    assert "The key is accepted." in await channel.check()
    with pytest.raises(ProviderRefused) as refusal:
        await wrong.check()
    assert refusal.value.of_key
    with pytest.raises(ProviderRefused):
        await wrong.send_notice(PHONE, TEXT)
    await wrong.close()


async def test_an_answer_that_comes_too_late_may_have_gone_out(vendor: str, sandbox_url: str) -> None:
    hasty = build(vendor, f"{sandbox_url}/{vendor}", timeout=0.1)
    with pytest.raises(ProviderDown) as failure:
        await hasty.send_notice(PhoneNumber("+79120000004"), TEXT)
    await hasty.close()

    assert failure.value.may_have_gone_out


async def test_nobody_listening_certainly_sent_nothing(vendor: str) -> None:
    alone = build(vendor, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ProviderDown) as failure:
        await alone.send_notice(PHONE, TEXT)
    await alone.close()

    assert not failure.value.may_have_gone_out


@pytest.mark.parametrize("text", ["", "а" * 301])
async def test_a_text_that_is_no_short_notice_is_a_mistake_of_the_caller(vendor: str, text: str) -> None:
    channel, seen = answering(vendor, httpx.Response(200, json={}))

    with pytest.raises(ValueError, match="300"):
        await channel.send_notice(PHONE, text)

    assert not seen


async def test_nothing_secret_is_logged(vendor: str, channel: NoticeChannel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await channel.send_notice(PhoneNumber("+79000001044"), TEXT)

    assert not any(secret in caplog.text for secret in ("79000001044", SECRETS[vendor], "пароль"))
