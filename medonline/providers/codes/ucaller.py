"""Flash calls by uCaller (https://developer.ucaller.ru): the caller's last four digits are the code."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, NumberRefused, OutOfMoney, ProviderRefused
from medonline.providers.http import JsonClient, persistently
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.prepaid import PrepaidAccount
from medonline.providers.values import money, reference_of, roubles
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode

_ERRORS: dict[int, tuple[type[DeliveryFailed], str]] = {
    3: (NumberNotReachable, "bad number"),
    9: (NumberNotReachable, "the country is closed"),
    18: (NumberRefused, "limit of calls to one number"),
    19: (NumberRefused, "15 s between calls to one number"),
    429: (NumberRefused, "too many requests"),
    1001: (NumberRefused, "blocked"),
    1002: (OutOfMoney, "no money"),
}
# Errors of the service's id or key (?). Only 401 was ever seen.
_OF_KEY = frozenset({1, 2, 401, 403})
_CALL_STATUS = {-1: DeliveryReport.SENT, 0: DeliveryReport.FAILED, 1: DeliveryReport.DELIVERED}


class UCaller(PrepaidAccount):
    """Calls a phone from a number whose last digits are the code. uCaller may choose another code than the requested one."""

    provider = "ucaller"
    _balance_path = "/v1.0/getBalance"
    # With `unique`, uCaller returns the call that it has already made.
    idempotent = True

    def __init__(
        self,
        base_url: str,
        key: str,
        service_id: str,
        *,
        timeout: float = 5.0,
        outgoing: Outgoing = DIRECT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = JsonClient(
            base_url,
            name=self.provider,
            headers={"Authorization": f"Bearer {key}.{service_id}"},
            timeout=timeout,
            outgoing=outgoing,
            transport=transport,
        )

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Place the call, in up to three attempts with one key. The answer holds the code to expect.

        Raises:
            DeliveryFailed: one of its subclasses. An unknown error number is `ProviderRefused`.
        """
        asked = {"phone": int(message.phone.digits), "code": message.code, "unique": message.idempotency_key}

        async def initiate() -> dict[str, Any]:
            return accepted(await self._client.post("/v1.0/initCall", json=asked))

        call = await persistently(initiate)
        reference = reference_of(call.get("ucaller_id"), self.provider)
        return SentCode(reference, four_digits(call.get("code"), self.provider), money(call.get("cost")))

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Ask whether the call got through. None for a status that uCaller does not document.

        Raises:
            DeliveryFailed: uCaller gave no usable answer or does not know the call.
        """
        uid: int | str = int(provider_ref) if provider_ref.isdecimal() else provider_ref
        call = accepted(await self._client.post("/v1.0/getInfo", json={"uid": uid}, idempotent=True))
        status = call.get("call_status")
        return _CALL_STATUS.get(status) if isinstance(status, int) and not isinstance(status, bool) else None

    async def balance(self) -> Decimal:
        """The balance in roubles, including bonuses. It is read as client libraries do; not verified on a live account (?).

        Raises:
            DeliveryFailed: uCaller gave no usable answer.
        """
        _, answer = await self._client.get(self._balance_path)
        account = accepted(answer)
        bonus = account.get("bonus_balance") or 0
        return roubles(account.get("rub_balance"), self.provider) + roubles(bonus, self.provider)


def four_digits(code: object, provider: str) -> str:
    """The code of a flash call in an answer: a string, or a number that has lost its leading zeros.

    Raises:
        ProviderRefused: the value cannot be the end of a caller's number.
    """
    text = str(code) if isinstance(code, int | str) and not isinstance(code, bool) else ""
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise ProviderRefused(f"{provider}: an answer without a code of four digits", may_have_gone_out=True)
    return text.zfill(4)


def accepted(answer: Any) -> dict[str, Any]:
    """The answer of any method, if it reports success.

    Raises:
        DeliveryFailed: one of its subclasses.
    """
    if not isinstance(answer, dict):
        raise ProviderRefused("ucaller: an answer that is no object", may_have_gone_out=True)
    if answer.get("status") is True:
        return answer
    # `error` is free text that may repeat the phone number, so only the error's number is read.
    number = answer.get("code")
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 4:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 9999:
        # Only «status: false» proves that there is no call.
        doubtful = answer.get("status") is not False
        raise ProviderRefused("ucaller: refused without an error number", may_have_gone_out=doubtful)
    if number in _OF_KEY:
        raise ProviderRefused(f"ucaller: error {number} (the key or the service)", code=str(number), of_key=True)
    kind, why = _ERRORS.get(number, (ProviderRefused, "see the vendor's list"))
    raise kind(f"ucaller: error {number} ({why})", code=str(number))
