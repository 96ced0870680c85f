"""Flash calls by SMS.ru (https://sms.ru/api/code_call): the provider chooses the code and returns it."""

from __future__ import annotations

from typing import Any

import httpx

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.providers.codes.ucaller import four_digits
from medonline.providers.http import JsonClient, money, reference_of
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode

# The vendor's common table of answers (https://sms.ru/api/status). Whether /code/call fills `status_code`
# with all of them is not documented, so the wording below is a second source.
_ERRORS: dict[int, type[DeliveryFailed]] = {
    201: OutOfMoney,
    202: NumberNotReachable,
    207: NumberNotReachable,
    209: NumberRefused,
    214: NumberNotReachable,
    220: ProviderDown,
    230: NumberRefused,
    231: NumberRefused,
    232: NumberRefused,
    233: NumberRefused,
    500: ProviderDown,
}
_WORDING: tuple[tuple[tuple[str, ...], type[DeliveryFailed]], ...] = (
    (("средств", "баланс", "денег"), OutOfMoney),
    (("лимит", "слишком", "стоп-лист", "превышен"), NumberRefused),
    (("номер", "телефон", "получател"), NumberNotReachable),
)


class SmsRu:
    """Calls a phone from a number ending with a code of SMS.ru's own choice: `message.code` is not used."""

    provider = "sms_ru"
    # SMS.ru knows no idempotency key: a repeated request is a second call.
    idempotent = False

    def __init__(
        self,
        base_url: str,
        api_id: str,
        *,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api_id = api_id
        self._client = JsonClient(base_url, name=self.provider, timeout=timeout, transport=transport)

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Place the call, once; the code to expect is the one returned, `cost` is in roubles.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        # A form and not a query: httpx logs addresses, and this key must not be in one.
        form = {"api_id": self._api_id, "phone": message.phone.digits, "json": "1"}
        # «-1» is the vendor's word for a request that does not come from a person's browser.
        form["ip"] = message.client_ip or "-1"
        call = accepted(await self._client.post("/code/call", form=form))
        reference = reference_of(call.get("call_id"), self.provider)
        return SentCode(reference, four_digits(call.get("code"), self.provider), money(call.get("cost")))

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Always None: SMS.ru has no status of a call."""
        return None

    async def check(self) -> str:
        """Whether SMS.ru answers at all; the key is not tried.

        Raises:
            DeliveryFailed: when it does not answer.
        """
        return await self._client.reach()

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def accepted(answer: Any) -> dict[str, Any]:
    """The answer of any of SMS.ru's methods, when it says OK.

    Raises:
        DeliveryFailed: one of its subclasses.
    """
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer <= 9999:
        # Bad credentials come as plain text, `301` and the like, which happens to be JSON, too.
        raise ProviderRefused(f"sms_ru: bare answer {answer}")
    if not isinstance(answer, dict):
        raise ProviderRefused("sms_ru: an answer that is no object")
    if answer.get("status") == "OK":
        return answer
    raise refusal(answer.get("status_code"), answer.get("status_text"))


def refusal(status_code: object, status_text: object) -> DeliveryFailed:
    """The error that an answer's number, or else its wording, stands for."""
    digits = str(status_code)
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else 0
    if number in _ERRORS:
        return _ERRORS[number](f"sms_ru: error {number}")
    wording = str(status_text).lower()
    for words, kind in _WORDING if not number else ():
        if any(word in wording for word in words):
            return kind("sms_ru: refused, judged by its wording")
    return ProviderRefused(f"sms_ru: error {number}" if number else "sms_ru: refused")
