"""Codes by SMS through SMS Aero: the portal makes the code, the vendor delivers it.

The numbers of `status` come from the vendor's own libraries. They are not verified on a live account (?).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from medonline.providers.sms_aero import SmsAeroAccount, accepted
from medonline.providers.values import money, reference_of
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode

_STATES: dict[int, DeliveryReport] = {
    0: DeliveryReport.SENT,  # in the queue
    1: DeliveryReport.DELIVERED,
    2: DeliveryReport.FAILED,
    3: DeliveryReport.SENT,  # handed to the operator
    4: DeliveryReport.SENT,  # waits for the operator's report
    6: DeliveryReport.NO_ROUTE,  # refused by the operator
    8: DeliveryReport.SENT,  # under the vendor's review
}


class SmsAero(SmsAeroAccount):
    """Sends a code by SMS. `text` makes the message of a code."""

    idempotent = False

    def __init__(self, base_url: str, email: str, api_key: str, text: Callable[[str], str], **options: Any) -> None:
        super().__init__(base_url, email, api_key, **options)
        self._text = text

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Send one SMS, once; `cost` is in roubles.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        data = await self._sms(message.phone, self._text(message.code))
        return SentCode(reference_of(data.get("id"), self.provider), message.code, money(data.get("cost")))

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """The delivery state of the SMS; None if the answer does not tell it.

        Raises:
            DeliveryFailed: SMS Aero gave no usable answer.
        """
        reference = int(provider_ref) if provider_ref.isdecimal() else provider_ref
        answer = await self._client.post("/v2/sms/status", json={"id": reference}, idempotent=True)
        state = accepted(answer).get("status")
        return _STATES.get(state) if isinstance(state, int) and not isinstance(state, bool) else None
