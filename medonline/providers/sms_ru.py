"""What all methods of SMS.ru (https://sms.ru/api) share: the account, and how to read success or refusal from an answer."""

from __future__ import annotations

import re
from decimal import Decimal
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
from medonline.domain.phone import PhoneNumber
from medonline.providers.http import JsonClient, parse_json, without_json
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.prepaid import PrepaidAccount
from medonline.providers.values import roubles

# The vendor's common table of answers (https://sms.ru/api/status). It is not documented whether /code/call sets `status_code` in all
# these cases, so the wording below is a second source.
_ERRORS: dict[int, type[DeliveryFailed]] = {
    201: OutOfMoney,
    202: NumberNotReachable,
    207: NumberNotReachable,
    150: NumberNotReachable,
    209: NumberRefused,
    214: NumberNotReachable,
    230: NumberRefused,
    231: NumberRefused,
    232: NumberRefused,
    233: NumberRefused,
    500: ProviderDown,
}
_BUSY = 220  # a proper refusal: nothing was sent, unlike after a failure (500) in the middle
_OF_KEY = frozenset({200, 300, 301, 302})
_NUMBER = re.compile(r"\s*(\d{3})(?!\S)", re.ASCII)
_WORDING: tuple[tuple[tuple[str, ...], type[DeliveryFailed]], ...] = (
    (("средств", "баланс", "денег"), OutOfMoney),
    (("лимит", "слишком", "стоп-лист", "превышен"), NumberRefused),
    (("номер", "телефон", "получател"), NumberNotReachable),
)


class SmsRuAccount(PrepaidAccount):
    """An account at SMS.ru. SMS.ru has no idempotency key: a repeated request makes a second call or message."""

    provider = "sms_ru"
    _balance_path = "/my/balance"

    def __init__(
        self,
        base_url: str,
        api_id: str,
        *,
        timeout: float = 5.0,
        outgoing: Outgoing = DIRECT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api_id = api_id
        self._client = JsonClient(base_url, name=self.provider, timeout=timeout, outgoing=outgoing, transport=transport)

    async def balance(self) -> Decimal:
        """The balance in roubles.

        Raises:
            DeliveryFailed: SMS.ru gave no usable answer.
        """
        return roubles((await self._asked(self._balance_path, {})).get("balance"), self.provider)

    async def _asked(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        # A form and not a query, because httpx logs addresses, and an address must hold neither the key nor a phone number.
        form = {"api_id": self._api_id, **fields, "json": "1"}
        status, body = await self._client.post_form_bytes(path, form)
        return accepted(_answer_of(status, body))

    async def _sms(self, phone: PhoneNumber, text: str, fields: dict[str, str]) -> dict[str, Any]:
        """Send one message. Returns the answer's entry about it."""
        answer = await self._asked("/sms/send", {"to": phone.digits, "msg": text, **fields})
        messages = answer.get("sms")
        message = messages.get(phone.digits) if isinstance(messages, dict) else None
        if not isinstance(message, dict):
            raise ProviderRefused("sms_ru: an answer that says nothing of the number")
        if message.get("status") != "OK":
            raise refusal(message.get("status_code"), message.get("status_text"))
        return message


def _answer_of(status: int, body: bytes) -> Any:
    """The JSON of an answer, or the number at the start of a plain-text answer. SMS.ru ignores `json=1` in errors about the account
    (`301`, `201`)."""
    try:
        answer = parse_json(body)
    except ValueError:
        answer = body.decode("utf-8-sig", errors="replace")
        if _NUMBER.match(answer) is None:
            raise without_json("sms_ru", status) from None
    number = _NUMBER.match(answer) if isinstance(answer, str) else None
    return int(number[1]) if number else answer


def accepted(answer: Any) -> dict[str, Any]:
    """The answer of any of SMS.ru's methods, if it reports success.

    Raises:
        DeliveryFailed: one of its subclasses.
    """
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer <= 9999:
        raise refusal(answer, None)
    if not isinstance(answer, dict):
        raise ProviderRefused("sms_ru: an answer that is no object", may_have_gone_out=True)
    if answer.get("status") == "OK":
        return answer
    refused = refusal(answer.get("status_code"), answer.get("status_text"))
    if answer.get("status") != "ERROR":  # only ERROR proves that nothing was sent
        refused.may_have_gone_out = True
    raise refused


def refusal(status_code: object, status_text: object) -> DeliveryFailed:
    """The error for an answer's number, or else for its wording."""
    digits = str(status_code)
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else 0
    if number == _BUSY:
        return ProviderDown(f"sms_ru: error {number}", code=str(number), may_have_gone_out=False)
    if number in _ERRORS:
        return _ERRORS[number](f"sms_ru: error {number}", code=str(number))
    wording = str(status_text).lower()
    for words, kind in _WORDING if not number else ():
        if any(word in wording for word in words):
            return kind("sms_ru: refused, judged by its wording")
    if number:
        return ProviderRefused(f"sms_ru: error {number}", code=str(number), of_key=number in _OF_KEY)
    return ProviderRefused("sms_ru: refused")
