"""Both vendors of notices by SMS: at their stand-ins, and with an answer that a test gives."""

from __future__ import annotations

import traceback
from typing import Any

import httpx
import pytest

from medonline.domain.errors import DeliveryFailed
from medonline.domain.phone import PhoneNumber
from medonline.providers.notices.sms_aero import SmsAeroNotices
from medonline.providers.notices.sms_ru import SmsRuNotices
from medonline.services.ports import NoticeChannel
from tests.sandbox.server import AERO_EMAIL, AERO_KEY, API_ID

PHONE = PhoneNumber("+79000001042")
TEXT = "Медицина-онлайн: пароль изменён. Если это не вы, позвоните в регистратуру."
SECRETS = {"sms_ru": API_ID, "sms_aero": AERO_KEY}


def build(vendor: str, base_url: str, secret: str = "", **options: Any) -> NoticeChannel:
    if vendor == "sms_ru":
        return SmsRuNotices(base_url, secret or API_ID, **options)
    return SmsAeroNotices(base_url, AERO_EMAIL, secret or AERO_KEY, sign="clinic", **options)


def answering(vendor: str, answer: httpx.Response) -> tuple[NoticeChannel, list[httpx.Request]]:
    """A vendor that answers so, and what it was asked."""
    seen: list[httpx.Request] = []

    def give(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    return build(vendor, "http://vendor.test/", transport=httpx.MockTransport(give)), seen


async def assert_refused(vendor: str, answer: httpx.Response, error: type[DeliveryFailed]) -> None:
    """After this answer that error leaves the adapter, without secrets, and nothing is asked again."""
    channel, seen = answering(vendor, answer)

    with pytest.raises(DeliveryFailed) as failure:
        await channel.send_notice(PHONE, TEXT)

    assert type(failure.value) is error
    printed = "".join(traceback.format_exception(failure.value))
    assert not any(secret in printed for secret in (PHONE.digits, "пароль", SECRETS[vendor]))
    assert len(seen) == 1
