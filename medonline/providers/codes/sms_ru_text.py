"""Codes by SMS through SMS.ru (https://sms.ru/api/send, https://sms.ru/api/status): the portal makes the code, the vendor delivers it.

Not verified on a live account (?): that `/sms/status` answers with one entry per `sms_id`, in the form of `/sms/send`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from medonline.providers.sms_ru import SmsRuAccount
from medonline.providers.values import money, reference_of
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode

# https://sms.ru/api/status: 100-102 mean on the way. 150 is the operator's answer when its subscriber has refused such messages.
_STATES: dict[int, DeliveryReport] = {
    100: DeliveryReport.SENT,
    101: DeliveryReport.SENT,
    102: DeliveryReport.SENT,
    103: DeliveryReport.DELIVERED,
    104: DeliveryReport.FAILED,
    105: DeliveryReport.FAILED,
    106: DeliveryReport.FAILED,
    107: DeliveryReport.FAILED,
    108: DeliveryReport.FAILED,
    110: DeliveryReport.DELIVERED,
    150: DeliveryReport.NO_ROUTE,
    209: DeliveryReport.STOP_LIST,
}


class SmsRuText(SmsRuAccount):
    """Sends a code by SMS. `text` makes the message of a code. `sender`: a name that the operators know; empty for the account's
    own."""

    idempotent = False

    def __init__(
        self, base_url: str, api_id: str, text: Callable[[str], str], *, sender: str = "", **options: Any
    ) -> None:
        super().__init__(base_url, api_id, **options)
        self._text, self._sender = text, sender

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Send one SMS, once; `cost` is in roubles.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        fields = {"ip": message.client_ip} if message.client_ip else {}
        fields |= {"from": self._sender} if self._sender else {}
        sent = await self._sms(message.phone, self._text(message.code), fields)
        return SentCode(reference_of(sent.get("sms_id"), self.provider), message.code, money(sent.get("cost")))

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """The delivery state of the SMS; None if the answer does not tell it.

        Raises:
            DeliveryFailed: SMS.ru gave no usable answer.
        """
        answer = await self._asked("/sms/status", {"sms_id": provider_ref})
        states = answer.get("sms")
        state = states.get(provider_ref) if isinstance(states, dict) else None
        digits = str(state.get("status_code", "")) if isinstance(state, dict) else ""
        return _STATES.get(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else None
