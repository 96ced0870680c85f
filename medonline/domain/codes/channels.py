"""The ways of getting a code (способы получения кода). Only this module registers them and states what is true of each.

Other modules do not name a way. The exceptions are its words (`wording/channels.py`), its settings (`config/`), its adapter and its
stand-in. `tools/house_rules.py` enforces this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

# Shorter codes invite guessing: three guesses succeed with 3·10⁻⁴ at four digits and with 3·10⁻⁶ at six.
STRONG_LENGTH = 6


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What the rules need to know of a way, whoever the vendor is.

    Attributes:
        code_length: digits of a code; 0 where none is typed.
        in_guide: it is one of the two ways of the patient's guide (G15). The others stand under «Другие способы».
        by_calling_number: the code is the end of the calling number. The whole number may be typed instead.
        fills_itself_in: a browser may take the code out of the message (WebOTP).
        in_chat: a bot may not write first. It sends the code after the reader has opened a chat from the screen and has shown there that
            the number is theirs (`services/codes/chats.py`).
        patient_calls: nothing is sent and nothing is typed. The patient calls a number from their phone, and the vendor reports the call. A
            caller's number can be forged, so a call is never enough by itself. A stranger who uses this way costs the owner nothing.
        tells_reading: the vendor may report that the message was read, so the portal goes on asking about a delivered one.
    """

    code_length: int
    in_guide: bool = False
    by_calling_number: bool = False
    tells_reading: bool = False
    fills_itself_in: bool = False
    in_chat: bool = False
    patient_calls: bool = False

    @property
    def guessable(self) -> bool:
        """Whether wrong guesses at such codes are counted per network."""
        return 0 < self.code_length < STRONG_LENGTH

    @property
    def weak(self) -> bool:
        """Whether a code of this way may not be enough by itself, so that a longer code is a better proof."""
        return self.guessable or self.patient_calls


class ChannelName(StrEnum):
    """Ways of getting a code; the value is the name in settings, records, metrics and commands."""

    FLASH_CALL = "flash_call"
    TELEGRAM = "telegram"
    SMS = "sms"
    MAX = "max"
    INBOUND_CALL = "inbound_call"

    @property
    def facts(self) -> ChannelFacts:
        """What is true of this way."""
        return CHANNELS[self]

    @property
    def code_length(self) -> int:
        """Digits of a code that comes this way."""
        return self.facts.code_length


CHANNELS: Mapping[ChannelName, ChannelFacts] = MappingProxyType(
    {
        ChannelName.FLASH_CALL: ChannelFacts(code_length=4, in_guide=True, by_calling_number=True),
        ChannelName.TELEGRAM: ChannelFacts(code_length=6, in_guide=True, tells_reading=True),
        ChannelName.SMS: ChannelFacts(code_length=6, fills_itself_in=True),
        ChannelName.MAX: ChannelFacts(code_length=6, in_chat=True),
        ChannelName.INBOUND_CALL: ChannelFacts(code_length=0, patient_calls=True),
    }
)
GUIDE_CHANNELS = tuple(name for name, facts in CHANNELS.items() if facts.in_guide)
CALLED = tuple(name for name, facts in CHANNELS.items() if facts.patient_calls)
