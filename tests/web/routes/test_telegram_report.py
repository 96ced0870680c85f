"""Delivery reports of Telegram Gateway: signed ones move a code's delivery, others change nothing."""

from __future__ import annotations

import hashlib
import hmac
import json

import httpx
import pytest

from medonline.bootstrap import Portal
from tests.services.world import ANNA, KNOWN, TELEGRAM, ScriptedChannel, dispatch, dispatcher_of, last_row
from tests.web.conftest import Browser

PATH = "/callbacks/telegram"


def report(ref: str, status: str = "read") -> bytes:
    return json.dumps({"request_id": ref, "delivery_status": {"status": status, "updated_at": 1}}).encode()


async def post(
    portal: Portal, open_browser: Browser, body: bytes, *, token: str = "", age: int = 0, **headers: str
) -> httpx.Response:
    """As the gateway posts: no Origin, a signature over timestamp and body."""
    stamp = str(int(portal.clock().timestamp()) - age)
    key = hashlib.sha256((token or portal.config.telegram_token.get_secret_value()).encode()).digest()
    signature = hmac.new(key, stamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()
    signed = {"X-Request-Timestamp": stamp, "X-Request-Signature": signature}
    return await open_browser().post(PATH, content=body, headers=signed | headers)


@pytest.fixture
async def ref(portal: Portal) -> str:
    """The provider's reference of a code that was sent."""
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    await dispatch(dispatcher_of(portal, telegram=ScriptedChannel(provider="telegram_gateway")))
    return (await last_row(portal)).provider_ref


async def test_a_signed_report_moves_the_delivery(portal: Portal, open_browser: Browser, ref: str) -> None:
    answer = await post(portal, open_browser, report(ref))

    assert answer.status_code == 200
    assert (await last_row(portal)).delivery == "read"


async def test_a_repeated_and_a_late_report_are_answered_and_change_nothing_more(
    portal: Portal, open_browser: Browser, ref: str
) -> None:
    statuses = [
        (await post(portal, open_browser, report(ref, status))).status_code for status in ("read", "read", "delivered")
    ]

    assert statuses == [200, 200, 200]
    assert (await last_row(portal)).delivery == "read"


async def test_a_report_on_a_stranger_is_answered(portal: Portal, open_browser: Browser, ref: str) -> None:
    assert (await post(portal, open_browser, report("unknown"))).status_code == 200
    assert (await last_row(portal)).delivery == "sent"


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "another-token"},
        {"age": 301},
        {"age": -301},
        {"X-Request-Signature": ""},
        {"X-Request-Signature": "0" * 64},
        {"X-Request-Timestamp": "now"},
    ],
    ids=str,
)
async def test_a_report_that_is_not_the_gateways_changes_nothing(
    portal: Portal, open_browser: Browser, ref: str, changes: dict[str, object]
) -> None:
    answer = await post(portal, open_browser, report(ref), **changes)

    assert (answer.status_code, answer.text) == (403, "refused\n")
    assert (await last_row(portal)).delivery == "sent"


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"{}", b"\xff", b'{"request_id": {}}'], ids=str)
async def test_a_signed_body_that_is_no_report_is_refused(portal: Portal, open_browser: Browser, body: bytes) -> None:
    assert (await post(portal, open_browser, body)).status_code == 403


async def test_a_body_too_large_is_refused(portal: Portal, open_browser: Browser, ref: str) -> None:
    answer = await post(portal, open_browser, report(ref) + b" " * 16 * 1024)

    assert answer.status_code == 413
    assert (await last_row(portal)).delivery == "sent"


async def test_what_is_logged_of_a_refusal_quotes_nothing_that_was_sent(
    portal: Portal, open_browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    await post(portal, open_browser, b'{"canary-body": 1}', **{"X-Request-Signature": "canary-signature"})

    assert "A delivery report was refused" in caplog.text
    assert "canary" not in caplog.text
