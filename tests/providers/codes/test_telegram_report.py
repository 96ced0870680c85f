"""Delivery reports of Telegram Gateway: who may say that a message was read."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from medonline.providers.codes.telegram_gateway import InvalidReport, TelegramGateway, TelegramReport, read_report
from medonline.services.ports import DeliveryReport
from tests.providers.conftest import message
from tests.sandbox.server import TOKEN, receiving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = json.dumps({"request_id": "187", "delivery_status": {"status": "read", "updated_at": 1}}).encode()


def sign(body: bytes, timestamp: str = STAMP, token: str = TOKEN) -> str:
    key = hashlib.sha256(token.encode()).digest()
    return hmac.new(key, timestamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def test_a_signed_report_is_read() -> None:
    assert read_report(BODY, STAMP, sign(BODY), token=TOKEN, now=NOW) == TelegramReport("187", DeliveryReport.READ)


def test_the_signature_is_the_one_the_vendor_documents() -> None:
    # By openssl: printf '1700000000\n{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:<sha256 of "token">
    assert sign(b"{}", "1700000000", "token") == "a6f7b186f2c81fbb136e942df4ed15e188e05de5a094289938a7c6293ee0b344"


def test_a_replayed_report_says_the_same() -> None:
    once, again = (read_report(BODY, STAMP, sign(BODY), token=TOKEN, now=NOW) for _ in range(2))

    assert once == again


@pytest.mark.parametrize("age", [timedelta(minutes=5), timedelta(minutes=-5), timedelta(0)])
def test_a_report_is_fresh_for_five_minutes(age: timedelta) -> None:
    assert read_report(BODY, STAMP, sign(BODY), token=TOKEN, now=NOW + age).provider_ref == "187"


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)])
def test_a_stale_report_is_refused(age: timedelta) -> None:
    with pytest.raises(InvalidReport, match="stale"):
        read_report(BODY, STAMP, sign(BODY), token=TOKEN, now=NOW + age)


@pytest.mark.parametrize(
    "signature", ["", "0" * 64, sign(BODY).upper(), sign(BODY)[:-1], sign(BODY, token="other"), "подпись", "\udcff"]
)
def test_a_bad_signature_is_refused(signature: str) -> None:
    with pytest.raises(InvalidReport, match="signature"):
        read_report(BODY, STAMP, signature, token=TOKEN, now=NOW)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(InvalidReport, match="signature"):
        read_report(BODY.replace(b"187", b"188"), STAMP, sign(BODY), token=TOKEN, now=NOW)


@pytest.mark.parametrize("timestamp", ["", "yesterday", "1e9", "-5", "9" * 40, "١٢٣"])
def test_a_timestamp_that_is_no_time_is_refused(timestamp: str) -> None:
    with pytest.raises(InvalidReport):
        read_report(BODY, timestamp, sign(BODY, timestamp), token=TOKEN, now=NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"{}", b'{"request_id": 5}', b"[" * 50_000])
def test_a_signed_body_that_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidReport):
        read_report(body, STAMP, sign(body), token=TOKEN, now=NOW)


async def test_the_sandbox_posts_reports_that_can_be_read(sandbox_url: str) -> None:
    async with receiving() as receiver:
        channel = TelegramGateway(f"{sandbox_url}/telegram", TOKEN, callback_url=receiver.url)
        sent = await channel.send_code(message(code="123456"))
        await receiver.wait_for(3)
        await channel.close()

    reports = [
        read_report(
            body,
            headers["x-request-timestamp"],
            headers["x-request-signature"],
            token=TOKEN,
            now=datetime.now(UTC),
        )
        for headers, body in receiver.reports
    ]
    assert [report.status for report in reports] == ["sent", "delivered", "read"]
    assert {report.provider_ref for report in reports} == {sent.provider_ref}
