"""Settings of one-time codes and of the vendors that deliver them: a part of `Config`."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from medonline import routes
from medonline.config.types import Channels, CodeLife, Duration, Durations, OptionalUrl, comma_list
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.domain.codes.sms_text import MOST_SEGMENTS, PLACE, segments, sms_text


class FlashCallProvider(StrEnum):
    """The vendor that places verification calls."""

    UCALLER = "ucaller"
    SMS_RU = "sms_ru"


class SmsProvider(StrEnum):
    """The vendor that sends codes by SMS."""

    SMS_RU = "sms_ru"
    SMS_AERO = "sms_aero"


class InboundCallProvider(StrEnum):
    """The vendor that provides a number for patients to call, and reports who called it."""

    SMS_RU = "sms_ru"
    UCALLER = "ucaller"


def _in_order(vendors: tuple[str, ...]) -> tuple[str, ...]:
    if not vendors or len(set(vendors)) < len(vendors):
        msg = "name each vendor once, the first to be asked first, as 'ucaller' or 'ucaller, sms_ru'"
        raise ValueError(msg)
    return vendors


FlashCallProviders = Annotated[
    tuple[FlashCallProvider, ...], NoDecode, BeforeValidator(comma_list(str)), AfterValidator(_in_order)
]
SmsProviders = Annotated[tuple[SmsProvider, ...], NoDecode, BeforeValidator(comma_list(str)), AfterValidator(_in_order)]
InboundCallProviders = Annotated[
    tuple[InboundCallProvider, ...], NoDecode, BeforeValidator(comma_list(str)), AfterValidator(_in_order)
]
# SMS.ru reserves a number for this long. uCaller documents nothing longer.
LONGEST_WAIT = timedelta(minutes=5)


class CodesConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals.

    flash_call_provider, sms_provider, inbound_call_provider: in the order in which the vendors are asked. The next vendor takes over if the
    one before certainly did not call or send, or gave no number.
    max_bot: the bot's name, as in `https://max.ru/<name>`.
    max_webhook: MAX posts to the portal. Otherwise the portal asks MAX once a second.
    sms_text: `{code}` marks the place of the code. Empty: the portal's own sentence.
    """

    code_channels: Channels = GUIDE_CHANNELS
    code_life_flash_call: CodeLife = timedelta(minutes=5)
    code_life_telegram: CodeLife = timedelta(minutes=10)
    code_life_sms: CodeLife = timedelta(minutes=10)
    code_life_max: CodeLife = timedelta(minutes=10)
    code_life_inbound_call: CodeLife = LONGEST_WAIT
    code_guesses: int = Field(3, ge=1, le=3)
    resend_pauses: Durations = (timedelta(seconds=60), timedelta(seconds=120), timedelta(seconds=300))
    channel_off_below_percent: int = Field(40, ge=0, le=90)
    low_balance: int = Field(500, ge=0)
    new_password_window: Duration = timedelta(minutes=10)

    telegram_base_url: OptionalUrl = ""
    telegram_token: SecretStr = SecretStr("")
    telegram_reports: bool = True
    max_base_url: OptionalUrl = ""
    max_token: SecretStr = SecretStr("")
    max_bot: str = Field("", pattern="^[A-Za-z0-9_-]{0,64}$")
    max_link_url: OptionalUrl = "https://max.ru"
    max_webhook: bool = True
    flash_call_provider: FlashCallProviders = (FlashCallProvider.UCALLER,)
    ucaller_base_url: OptionalUrl = ""
    ucaller_key: SecretStr = SecretStr("")
    ucaller_service_id: str = ""
    sms_ru_base_url: OptionalUrl = ""
    sms_ru_api_id: SecretStr = SecretStr("")
    sms_ru_sender: str = ""
    sms_provider: SmsProviders = (SmsProvider.SMS_RU,)
    sms_text: str = ""
    inbound_call_provider: InboundCallProviders = (InboundCallProvider.SMS_RU,)
    sms_aero_base_url: OptionalUrl = ""
    sms_aero_email: str = ""
    sms_aero_api_key: SecretStr = SecretStr("")
    sms_aero_sign: str = ""

    def codes_faults(self) -> list[str]:
        """Settings that cannot be used in any mode: one English sentence each."""
        faults = []
        if not self.code_channels:
            faults.append(f"MEDONLINE_CODE_CHANNELS is empty: name at least one of {', '.join(ChannelName)}.")
        elif all(channel.facts.patient_calls for channel in self.code_channels):
            faults.append(
                "MEDONLINE_CODE_CHANNELS names only a way by which patients call: that is a weak proof, and no new phone is proved by it. "
                "Name another way beside it."
            )
        if self.code_life_inbound_call > LONGEST_WAIT:
            faults.append("MEDONLINE_CODE_LIFE_INBOUND_CALL: a vendor waits for a call for 5 min; write that, or less.")
        if not self.resend_pauses or any(pause <= timedelta(0) for pause in self.resend_pauses):
            faults.append("MEDONLINE_RESEND_PAUSES: write pauses longer than nothing, as '60 s, 120 s, 300 s'.")
        return faults

    def sms_faults(self, host: str) -> list[str]:
        """What is wrong with the text of an SMS that this host would send."""
        if not self.sms_text:
            return []
        if self.sms_text.count(PLACE) != 1:
            return [f"MEDONLINE_SMS_TEXT: write {PLACE} once, where the code stands."]
        longest = sms_text(self.sms_text, "0" * ChannelName.SMS.code_length, host)
        if segments(longest) > MOST_SEGMENTS:
            return [
                f"MEDONLINE_SMS_TEXT makes {segments(longest)} SMS of one code: shorten it to {MOST_SEGMENTS} at most."
            ]
        return []

    def delivery_faults(self, *, notices_by: SmsProvider | None, real: bool = True) -> list[str]:
        """Faults in production: a missing provider, a stand-in, a demo value. `real`: this is production, not staging."""
        faults = []
        for name, value in self._required_to_reach_phones(notices_by=notices_by).items():
            if not value:
                faults.append(f"{name} is missing: a way of getting codes or notices that is switched on needs it.")
            elif name.endswith(("_BASE_URL", "_LINK_URL")) and routes.SANDBOX in urlsplit(value).path:
                faults.append(f"{name} points at the sandbox: in production a real provider is needed.")
            elif real and value.startswith("demo-"):
                faults.append(f"{name} holds a demo value: put the provider's own there.")
        return faults

    def delivery_addresses(self, *, notices_by: SmsProvider | None) -> dict[str, str]:
        """The addresses of real providers in use, by the names of their settings."""
        required = self._required_to_reach_phones(notices_by=notices_by)
        return {
            name: value
            for name, value in required.items()
            if name.endswith(("_BASE_URL", "_LINK_URL")) and value and routes.SANDBOX not in urlsplit(value).path
        }

    def _required_to_reach_phones(self, *, notices_by: SmsProvider | None) -> dict[str, str]:
        required: dict[str, str] = {}
        if ChannelName.TELEGRAM in self.code_channels:
            required["MEDONLINE_TELEGRAM_BASE_URL"] = self.telegram_base_url
            required["MEDONLINE_TELEGRAM_TOKEN"] = self.telegram_token.get_secret_value()
        if ChannelName.MAX in self.code_channels:
            required["MEDONLINE_MAX_BASE_URL"] = self.max_base_url
            required["MEDONLINE_MAX_TOKEN"] = self.max_token.get_secret_value()
            required["MEDONLINE_MAX_BOT"] = self.max_bot
            required["MEDONLINE_MAX_LINK_URL"] = self.max_link_url
        calls = self.flash_call_provider if ChannelName.FLASH_CALL in self.code_channels else ()
        numbers = self.inbound_call_provider if ChannelName.INBOUND_CALL in self.code_channels else ()
        if FlashCallProvider.UCALLER in calls or InboundCallProvider.UCALLER in numbers:
            required["MEDONLINE_UCALLER_BASE_URL"] = self.ucaller_base_url
            required["MEDONLINE_UCALLER_KEY"] = self.ucaller_key.get_secret_value()
            required["MEDONLINE_UCALLER_SERVICE_ID"] = self.ucaller_service_id
        texts = self.sms_provider if ChannelName.SMS in self.code_channels else ()
        if SmsProvider.SMS_AERO in (*texts, notices_by):
            required["MEDONLINE_SMS_AERO_BASE_URL"] = self.sms_aero_base_url
            required["MEDONLINE_SMS_AERO_EMAIL"] = self.sms_aero_email
            required["MEDONLINE_SMS_AERO_API_KEY"] = self.sms_aero_api_key.get_secret_value()
            required["MEDONLINE_SMS_AERO_SIGN"] = self.sms_aero_sign
        by_sms_ru = FlashCallProvider.SMS_RU in calls or SmsProvider.SMS_RU in (*texts, notices_by)
        if by_sms_ru or InboundCallProvider.SMS_RU in numbers:
            required["MEDONLINE_SMS_RU_BASE_URL"] = self.sms_ru_base_url
            required["MEDONLINE_SMS_RU_API_ID"] = self.sms_ru_api_id.get_secret_value()
        return required
