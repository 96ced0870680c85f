"""Short texts to a phone by SMS.ru (https://sms.ru/api/send).

Not verified on a live account (?): that an answer with the outer `status` OK always has one entry for the number, keyed by its digits;
that a test account answers in the same way; that an outer ERROR means that nothing was sent.
"""

from __future__ import annotations

from medonline.domain.phone import PhoneNumber
from medonline.providers.notices.texts import checked
from medonline.providers.sms_ru import SmsRuAccount
from medonline.providers.values import reference_of


class SmsRuNotices(SmsRuAccount):
    """Sends one SMS at a time."""

    async def send_notice(self, phone: PhoneNumber, text: str) -> str:
        """Send one text of at most 300 characters, once. Returns SMS.ru's reference (`sms_id`).

        Raises:
            DeliveryFailed: one of its subclasses. `ProviderDown` also means that the message may have gone out without an answer.
            ValueError: the text is empty or too long.
        """
        message = await self._sms(phone, checked(text), {})
        return reference_of(message.get("sms_id"), self.provider)
