"""Two worlds for the same contract: the sandbox over a loopback socket, and answers recorded from the vendors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from medonline.domain.phone import PhoneNumber
from medonline.providers.codes.sms_ru import SmsRu
from medonline.providers.codes.telegram_gateway import TelegramGateway
from medonline.providers.codes.ucaller import UCaller
from medonline.services.ports import CodeChannel, CodeMessage
from tests.sandbox.server import API_ID, KEY, SERVICE_ID, TOKEN, running_sandbox, settings

MakeChannel = Callable[..., CodeChannel]
_RECORDED = Path(__file__).with_name("recorded")


@pytest.fixture(scope="package")
def sandbox_url() -> Iterator[str]:
    with running_sandbox(settings()) as url:
        yield url


@pytest.fixture(params=["sandbox", "recorded"])
def world(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def make_channel(world: str, request: pytest.FixtureRequest) -> AsyncIterator[MakeChannel]:
    """Build a channel by the provider's name, by default with good credentials."""
    made: list[CodeChannel] = []

    def make(provider: str, *, secret: str | None = None, **options: Any) -> CodeChannel:
        base_url = "http://vendor.test"
        if world == "sandbox":
            base_url = f"{request.getfixturevalue('sandbox_url')}/{provider.removesuffix('_gateway')}"
        else:
            options["transport"] = httpx.MockTransport(RecordedVendor(provider))
        made.append(build(provider, base_url, secret, **options))
        return made[-1]

    yield make
    for channel in made:
        await channel.close()


def build(provider: str, base_url: str, secret: str | None = None, **options: Any) -> CodeChannel:
    if provider == "telegram_gateway":
        return TelegramGateway(base_url, secret or TOKEN, **options)
    if provider == "ucaller":
        return UCaller(base_url, secret or KEY, SERVICE_ID, **options)
    return SmsRu(base_url, secret or API_ID, **options)


def message(phone: str = "+79000001001", code: str = "0427", key: str = "key-1", **changes: Any) -> CodeMessage:
    return CodeMessage(idempotency_key=key, phone=PhoneNumber(phone), code=code, life=timedelta(minutes=5), **changes)


class RecordedVendor:
    """Answers like a vendor did: by the last four digits of the number, which mean what they mean in the sandbox."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._answers: dict[str, Any] = json.loads((_RECORDED / f"{provider}.json").read_text("utf-8"))
        self._reports = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        given = _parameters(request)
        secret = request.headers.get("Authorization", "") + str(given.get("api_id", ""))
        if not any(good in secret for good in (TOKEN, KEY, API_ID)):
            return self._answer("unauthorised")
        if request.url.path in ("/revokeVerificationMessage", "/v1.0/getBalance", "/my/balance"):
            return self._answer("account")
        if request.url.path in ("/checkVerificationStatus", "/v1.0/getInfo"):
            states = self._answers["reports"]
            self._reports += 1
            return httpx.Response(200, json=states[min(self._reports, len(states)) - 1])
        suffix = str(given.get("phone_number", given.get("phone", "")))[-4:]
        if suffix == "0003":
            return httpx.Response(500, html="<h1>500</h1>")
        if suffix == "0004":
            await asyncio.sleep(0.5)
        if suffix == "0014":
            return httpx.Response(302, headers={"Location": "/maintenance"})
        if suffix == "0015":
            return httpx.Response(200, json={"padding": "0" * 200_000})
        return self._answer(suffix if suffix in self._answers else "success")

    def _answer(self, name: str) -> httpx.Response:
        answer = self._answers[name]
        return httpx.Response(200, text=answer) if isinstance(answer, str) else httpx.Response(200, json=answer)


def _parameters(request: httpx.Request) -> dict[str, Any]:
    body = request.content.decode()
    if request.headers.get("Content-Type") == "application/json":
        found: dict[str, Any] = json.loads(body)
        return found
    return {name: values[0] for name, values in parse_qs(body).items()}
