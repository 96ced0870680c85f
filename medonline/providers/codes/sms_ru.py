"""Flash calls by SMS.ru (https://sms.ru/api/code_call): the provider chooses the code and returns it."""

from __future__ import annotations

from medonline.providers.codes.ucaller import four_digits
from medonline.providers.sms_ru import SmsRuAccount
from medonline.providers.values import money, reference_of
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode


class SmsRu(SmsRuAccount):
    """Calls a phone from a number whose last digits are the code. SMS.ru chooses the code, and `message.code` is not used."""

    idempotent = False

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Place the call, once. The answer holds the code to expect. `cost` is in roubles.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        # «-1» is the vendor's value for a request that does not come from a person's browser.
        call = await self._asked("/code/call", {"phone": message.phone.digits, "ip": message.client_ip or "-1"})
        reference = reference_of(call.get("call_id"), self.provider)
        return SentCode(reference, four_digits(call.get("code"), self.provider), money(call.get("cost")))

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Always None: SMS.ru gives no status of a call."""
        return None
