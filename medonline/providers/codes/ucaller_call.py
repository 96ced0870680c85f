"""Calls of patients to a number of uCaller (https://developer.ucaller.ru, inboundCallWaiting).

uCaller reports a call once, without a signature, and cannot be asked about it. So its report proves less than SMS.ru's. Each wait has
its own report address, which only uCaller knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from medonline.domain.codes.patient_call import number_to_dial
from medonline.domain.errors import DeliveryFailed, ProviderRefused
from medonline.domain.phone import PhoneNumber
from medonline.providers.codes.ucaller import UCaller, accepted
from medonline.providers.http import parse_json
from medonline.providers.values import reference_of
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode

# These ids may equal the ids of calls that uCaller places. A report about one must never count for another.
_PREFIX = "waiting-"


class UCallerCall(UCaller):
    """Gives a number to call. `callback_url`: makes the report address from a code's id."""

    # This places no call: a repeated request only names a number twice.
    idempotent = True

    def __init__(
        self, base_url: str, key: str, service_id: str, *, callback_url: Callable[[str], str], **options: Any
    ) -> None:
        super().__init__(base_url, key, service_id, **options)
        self._key, self._service_id, self._callback_url = key, service_id, callback_url

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Ask for the number to call.

        Raises:
            DeliveryFailed: one of its subclasses; another vendor may be asked after any of them.
        """
        # uCaller wants the key and the number in the address. The portal never logs that address (`providers/http.py`).
        asked = {
            "phone": message.phone.digits,
            "callback_url": self._callback_url(message.idempotency_key),
            "service_id": self._service_id,
            "key": self._key,
        }
        try:
            _, answer = await self._client.get("/v1.0/inboundCallWaiting", params=asked, idempotent=False)
            told = accepted(answer)
        except DeliveryFailed as error:
            error.may_have_gone_out = False  # this request sends nothing to the patient
            raise
        number = number_to_dial(told.get("confirmation_number"))
        if number is None:
            raise ProviderRefused("ucaller: an answer without a number to call")
        return SentCode(_PREFIX + reference_of(told.get("ucaller_id"), self.provider), "", call_number=number)

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Always None: uCaller cannot be asked whether a call came."""
        return None

    def read_call(self, body: bytes) -> tuple[str, PhoneNumber] | None:
        """The reference of a call and the caller's phone from a posted report; None for an unreadable report."""
        try:
            told = parse_json(body)
        except ValueError:
            return None
        caller = PhoneNumber.read(str(told.get("clientNumber", ""))) if isinstance(told, dict) else None
        call = told.get("callId") if isinstance(told, dict) else None
        if caller is None or isinstance(call, bool) or not isinstance(call, int | str):
            return None
        return f"{_PREFIX}{call}", caller
