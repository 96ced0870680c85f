"""Short texts to a phone by SMS Aero, for an installation that has no other SMS vendor."""

from __future__ import annotations

from medonline.domain.phone import PhoneNumber
from medonline.providers.notices.texts import checked
from medonline.providers.sms_aero import SmsAeroAccount
from medonline.providers.values import reference_of


class SmsAeroNotices(SmsAeroAccount):
    """Sends one SMS at a time."""

    async def send_notice(self, phone: PhoneNumber, text: str) -> str:
        """Send one text of at most 300 characters, once. Returns SMS Aero's reference (`id`).

        Raises:
            DeliveryFailed: one of its subclasses. `ProviderDown` also means that the message may have gone out without an answer.
            ValueError: the text is empty or too long.
        """
        message = await self._sms(phone, checked(text))
        return reference_of(message.get("id"), self.provider)
