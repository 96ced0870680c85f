"""Codes by SMS through SMS Aero, API version 2 (https://smsaero.ru/integration/documentation/api/).

Facts from the vendor's own libraries, not seen on a live account (?): the numbers of `status`, the words of a refusal.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderRefused,
)
from medonline.providers.http import JsonClient, money, reference_of, roubles
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode

_BALANCE = "/v2/balance"
_STATES: dict[int, DeliveryReport] = {
    0: DeliveryReport.SENT,  # in the queue
    1: DeliveryReport.DELIVERED,
    2: DeliveryReport.FAILED,
    3: DeliveryReport.SENT,  # handed to the operator
    4: DeliveryReport.SENT,  # waits for the operator's word
    6: DeliveryReport.NO_ROUTE,  # refused by the operator
    8: DeliveryReport.SENT,  # looked at by the vendor
}
_WORDS: tuple[tuple[tuple[str, ...], type[DeliveryFailed]], ...] = (
    (("no credits", "not enough", "balance"), OutOfMoney),
    (("blacklist", "black list", "stop list", "limit"), NumberRefused),
    (("number", "phone"), NumberNotReachable),
)


class SmsAero:
    """Sends a code in an SMS. `text` makes the message of a code; `sign` is the sender's name, as it is registered there."""

    provider = "sms_aero"
    # The vendor knows no idempotency key: a repeated request is a second message.
    idempotent = False

    def __init__(
        self,
        base_url: str,
        email: str,
        api_key: str,
        text: Callable[[str], str],
        *,
        sign: str,
        outgoing: Outgoing = DIRECT,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._text, self._sign = text, sign
        self._client = JsonClient(
            base_url,
            name=self.provider,
            headers={"Authorization": f"Basic {b64encode(f'{email}:{api_key}'.encode()).decode()}"},
            timeout=timeout,
            outgoing=outgoing,
            transport=transport,
        )

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Send one SMS, once; `cost` is in roubles.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        sms = {"number": message.phone.digits, "text": self._text(message.code), "sign": self._sign}
        data = _accepted(await self._client.post("/v2/sms/send", json=sms))
        return SentCode(reference_of(data.get("id"), self.provider), message.code, money(data.get("cost")))

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """What became of the SMS; None for an answer that says nothing of it.

        Raises:
            DeliveryFailed: when the question could not be asked.
        """
        reference = int(provider_ref) if provider_ref.isdecimal() else provider_ref
        answer = await self._client.post("/v2/sms/status", json={"id": reference}, idempotent=True)
        state = _accepted(answer).get("status")
        return _STATES.get(state) if isinstance(state, int) and not isinstance(state, bool) else None

    async def check(self) -> str:
        """Whether SMS Aero answers, and takes the key.

        Raises:
            DeliveryFailed: it does not.
        """
        reached = await self._client.reach(_BALANCE)
        await self.balance()
        return f"{reached} The key is accepted."

    async def balance(self) -> Decimal:
        """What is left.

        Raises:
            DeliveryFailed: it cannot be told.
        """
        _, answer = await self._client.get(_BALANCE)
        return roubles(_accepted(answer).get("balance"), self.provider)

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def _accepted(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise ProviderRefused("sms_aero: an answer that is no object", may_have_gone_out=True)
    data = answer.get("data")
    if answer.get("success") is True and isinstance(data, dict):
        return data
    # Of a refusal's words nothing is repeated: they may echo a number.
    said = " ".join(str(answer.get(name, "")) for name in ("result", "reason", "message")).lower()
    for words, kind in _WORDS:
        if any(word in said for word in words):
            raise kind("sms_aero: refused, judged by its wording")
    if "credentials" in said:
        raise ProviderRefused("sms_aero: the e-mail or the key is not accepted", of_key=True)
    # Only a refusal in its own words says that there is no message.
    doubtful = answer.get("success") is not False and "result" not in answer
    raise ProviderRefused("sms_aero: refused", may_have_gone_out=doubtful)
