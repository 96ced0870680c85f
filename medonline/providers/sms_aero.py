"""What every method of SMS Aero, API version 2 (https://smsaero.ru/integration/documentation/api/), has in common: the account, the
message, and how an answer says yes or no.

Facts from the vendor's own libraries, not seen on a live account (?): the words of a refusal.
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
    """An account at SMS Aero; `sign` is the sender's name, as it is registered there. It knows no idempotency key: a repeated request
    is a second message."""

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
        """What is left.

        Raises:
            DeliveryFailed: it cannot be told.
        """
        _, answer = await self._client.get(self._balance_path)
        return roubles(accepted(answer).get("balance"), self.provider)

    async def _sms(self, phone: PhoneNumber, text: str) -> dict[str, Any]:
        """What is said of a message that was taken."""
        sms = {"number": phone.digits, "text": text, "sign": self._sign}
        return accepted(await self._client.post("/v2/sms/send", json=sms))


def accepted(answer: Any) -> dict[str, Any]:
    """The data of any answer that says yes.

    Raises:
        DeliveryFailed: one of its subclasses.
    """
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
