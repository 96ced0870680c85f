"""What all methods of SMS Aero, API version 2 (https://smsaero.ru/integration/documentation/api/), share: the account, the message, and
how to read success or refusal from an answer.

The words of a refusal come from the vendor's own libraries. They are not verified on a live account (?).
"""

from __future__ import annotations

from base64 import b64encode
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
from medonline.domain.phone import PhoneNumber
from medonline.providers.http import JsonClient
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.prepaid import PrepaidAccount
from medonline.providers.values import roubles

_WORDS: tuple[tuple[tuple[str, ...], type[DeliveryFailed]], ...] = (
    (("no credits", "not enough", "balance"), OutOfMoney),
    (("blacklist", "black list", "stop list", "limit"), NumberRefused),
    (("number", "phone"), NumberNotReachable),
)


class SmsAeroAccount(PrepaidAccount):
    """An account at SMS Aero. `sign` is the sender's name as registered there. SMS Aero has no idempotency key: a repeated request sends
    a second message."""

    provider = "sms_aero"
    _balance_path = "/v2/balance"

    def __init__(
        self,
        base_url: str,
        email: str,
        api_key: str,
        *,
        sign: str,
        outgoing: Outgoing = DIRECT,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._sign = sign
        self._client = JsonClient(
            base_url,
            name=self.provider,
            headers={"Authorization": f"Basic {b64encode(f'{email}:{api_key}'.encode()).decode()}"},
            timeout=timeout,
            outgoing=outgoing,
            transport=transport,
        )

    async def balance(self) -> Decimal:
        """The balance in roubles.

        Raises:
            DeliveryFailed: SMS Aero gave no usable answer.
        """
        _, answer = await self._client.get(self._balance_path)
        return roubles(accepted(answer).get("balance"), self.provider)

    async def _sms(self, phone: PhoneNumber, text: str) -> dict[str, Any]:
        """Send one message. Returns the answer's data about it."""
        sms = {"number": phone.digits, "text": text, "sign": self._sign}
        return accepted(await self._client.post("/v2/sms/send", json=sms))


def accepted(answer: Any) -> dict[str, Any]:
    """The data of any answer that reports success.

    Raises:
        DeliveryFailed: one of its subclasses.
    """
    if not isinstance(answer, dict):
        raise ProviderRefused("sms_aero: an answer that is no object", may_have_gone_out=True)
    data = answer.get("data")
    if answer.get("success") is True and isinstance(data, dict):
        return data
    # The error repeats nothing of the refusal's text, which may echo a phone number.
    said = " ".join(str(answer.get(name, "")) for name in ("result", "reason", "message")).lower()
    for words, kind in _WORDS:
        if any(word in said for word in words):
            raise kind("sms_aero: refused, judged by its wording")
    if "credentials" in said:
        raise ProviderRefused("sms_aero: the e-mail or the key is not accepted", of_key=True)
    # Only a refusal in the vendor's own format proves that no message was sent.
    doubtful = answer.get("success") is not False and "result" not in answer
    raise ProviderRefused("sms_aero: refused", may_have_gone_out=doubtful)
