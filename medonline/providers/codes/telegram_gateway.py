"""Codes in Telegram, by Telegram Gateway (https://core.telegram.org/gateway/api).

The portal makes the code and checks it. The gateway only delivers it to the official chat «Коды подтверждения».
The portal never calls `checkSendAbility`, because it costs as much as a message.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderRefused,
)
from medonline.providers.http import JsonClient, parse_json
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.values import money, reference_of
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode

_MIN_TTL, _MAX_TTL = 30, 3600  # seconds, the gateway's own bounds
_REPORT_FRESHNESS = timedelta(minutes=5)
_ERROR_NAME = re.compile(r"[A-Z][A-Z_]{2,39}")
_ERRORS: dict[str, type[DeliveryFailed]] = {
    "PHONE_NUMBER_INVALID": NumberNotReachable,
    "PHONE_NUMBER_NOT_FOUND": NumberNotReachable,
    "PHONE_NUMBER_NOT_AVAILABLE": NumberNotReachable,
    "BALANCE_NOT_ENOUGH": OutOfMoney,
}
_DELIVERY: dict[str, DeliveryReport] = {
    "sent": DeliveryReport.SENT,
    "delivered": DeliveryReport.DELIVERED,
    "read": DeliveryReport.READ,
}


class InvalidReport(Exception):
    """A delivery report that did not come from the gateway, is older than five minutes, or cannot be read."""


@dataclass(frozen=True, slots=True)
class TelegramReport:
    """A delivery report: the reference of a message and its state (None: nothing to record)."""

    provider_ref: str
    status: DeliveryReport | None


class TelegramGateway:
    """Sends a code of 4-8 digits to the Telegram account of a phone number.

    `callback_url` (https, up to 256 bytes) receives the reports that `read_report` checks. Without it, call `delivery_report`.
    """

    provider = "telegram_gateway"
    # The gateway has no idempotency key, so a repeated request may put a second message into the chat.
    idempotent = False

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        callback_url: str | None = None,
        outgoing: Outgoing = DIRECT,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._callback_url = callback_url
        self._client = JsonClient(
            base_url,
            name=self.provider,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            outgoing=outgoing,
            transport=transport,
        )

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Send one code. `cost` is in the gateway's currency, and `0` for the account owner's own number.

        Raises:
            DeliveryFailed: one of its subclasses; an error name the gateway does not document is
                `ProviderRefused`.
        """
        parameters: dict[str, object] = {
            "phone_number": message.phone.e164,
            "code": message.code,
            "ttl": min(max(int(message.life.total_seconds()), _MIN_TTL), _MAX_TTL),
            "payload": message.idempotency_key,
        }
        if self._callback_url:
            parameters["callback_url"] = self._callback_url
        result = _result(await self._client.post("/sendVerificationMessage", json=parameters))
        reference = reference_of(result.get("request_id"), self.provider)
        return SentCode(reference, message.code, money(result.get("request_cost")))

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Ask for the state of a message. `_report_of` explains the states.

        Raises:
            DeliveryFailed: the gateway gave no usable answer.
        """
        answer = await self._client.post("/checkVerificationStatus", json={"request_id": provider_ref}, idempotent=True)
        return _report_of(_result(answer))

    async def report_entered(self, provider_ref: str, code: str) -> None:
        """Tell the gateway which code was typed, for its conversion statistics. It fails silently.

        Call it after the portal has checked the code. The gateway's verdict does not matter.
        """
        # Fails open: statistics must not stand between a patient and the next step.
        with contextlib.suppress(DeliveryFailed):
            await self._client.post("/checkVerificationStatus", json={"request_id": provider_ref, "code": code})

    async def check(self) -> str:
        """Check that the gateway answers and accepts the token. It asks to revoke a message that never existed, which costs nothing.

        Raises:
            DeliveryFailed: one of these fails.
        """
        reached = await self._client.reach("/revokeVerificationMessage")
        answer = await self._client.post("/revokeVerificationMessage", json={"request_id": "0"}, idempotent=True)
        refused = _refusal(answer.get("error") if isinstance(answer, dict) else None)
        # The error for an unknown message is not documented. Any error that is not about the token shows that the token was accepted.
        if not refused.code or (isinstance(refused, ProviderRefused) and refused.of_key):
            raise refused
        return f"{reached} The token is accepted (asked after no message, it says {refused.code})."

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def read_report(body: bytes, timestamp: str, signature: str, *, token: str, now: datetime) -> TelegramReport:
    """Check and read one delivery report that was posted to the callback URL. Reading it twice gives the same value.

    Args:
        body: the raw request body, exactly as received.
        timestamp: header `X-Request-Timestamp`, Unix seconds.
        signature: header `X-Request-Signature`: lower-case hex HMAC-SHA256 of timestamp, line feed and body,
            keyed with SHA-256(token).
        token: the access token of the gateway account.
        now: an aware datetime. The report must be at most five minutes older or newer.

    Raises:
        InvalidReport: the signature is bad, the report is stale, or the body is no report.
    """
    key = hashlib.sha256(token.encode()).digest()
    expected = hmac.new(key, timestamp.encode(errors="replace") + b"\n" + body, hashlib.sha256).hexdigest()
    # As bytes, because compare_digest refuses text outside ASCII, and a stranger may send anything in the header.
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        raise InvalidReport("bad signature")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now.timestamp() - int(timestamp)) > _REPORT_FRESHNESS.seconds:
        raise InvalidReport("stale")
    try:
        report = parse_json(body)
    except ValueError:
        raise InvalidReport("not JSON") from None
    request_id = report.get("request_id") if isinstance(report, dict) else None
    if not isinstance(request_id, str) or not request_id:
        raise InvalidReport("no request_id")
    return TelegramReport(request_id, _report_of(report))


def _result(answer: Any) -> dict[str, Any]:
    if isinstance(answer, dict) and answer.get("ok") is True and isinstance(answer.get("result"), dict):
        result: dict[str, Any] = answer["result"]
        return result
    refused = _refusal(answer.get("error") if isinstance(answer, dict) else None)
    if not isinstance(answer, dict) or answer.get("ok") is not False:  # only «ok: false» proves that nothing was sent
        refused.may_have_gone_out = True
    raise refused


def _refusal(error: object) -> DeliveryFailed:
    # The log gets only the leading capitals of an error: the rest could echo a number or a code.
    found = _ERROR_NAME.match(error) if isinstance(error, str) else None
    name = found.group() if found else "no error name"
    if name.startswith("FLOOD_WAIT"):
        return NumberRefused("telegram_gateway: FLOOD_WAIT", code="FLOOD_WAIT")
    # Only ACCESS_TOKEN_INVALID is documented. A name that is not in the table means no more than a refusal.
    kind = _ERRORS.get(name)
    code = name if found else ""
    if name.startswith("ACCESS_TOKEN"):
        return ProviderRefused(f"telegram_gateway: {name}", code=code, of_key=True)
    if kind is None:
        return ProviderRefused(f"telegram_gateway: not delivered ({name})", code=code)
    return kind(f"telegram_gateway: {name}", code=code)


def _report_of(status: Mapping[str, Any]) -> DeliveryReport | None:
    """The delivery state of a RequestStatus.

    `expired` is documented as "without being delivered or read", so it is a failure. But if the same answer shows that somebody typed
    the code, the code did arrive. `revoked` is the result of our own request and says nothing about the delivery before it.
    """
    delivery = _word(status.get("delivery_status"))
    if delivery == "expired":
        typed = _word(status.get("verification_status")) == "code_valid"
        return DeliveryReport.DELIVERED if typed else DeliveryReport.FAILED
    return _DELIVERY.get(delivery)


def _word(part: object) -> str:
    word = part.get("status") if isinstance(part, dict) else None
    return word if isinstance(word, str) else ""
