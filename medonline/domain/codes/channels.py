"""The ways of getting a code (способы получения кода): the one place that registers them, and what is true of each.

Nothing else names a way but what brings it: its words (`wording/channels.py`), its settings (`config/`), its adapter and its
stand-in. `tools/house_rules.py` holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

# Fewer digits than these are guessed at: three guesses at four digits are 3·10⁻⁴, at six 3·10⁻⁶.
STRONG_LENGTH = 6


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What the rules ask of a way, whoever the vendor is.

    Attributes:
        code_length: digits of a code; 0 where none is typed.
        in_guide: one of the two ways of the patient's guide (G15); the others stand under «Другие способы».
        by_calling_number: the code is the end of the number that calls, and the whole number may be typed instead.
        fills_itself_in: a browser may take the code out of the message (WebOTP).
        in_chat: a bot may not write first: the code is sent once its reader has opened a chat from the screen and shown there that
            the number is theirs (`services/codes/chats.py`).
        patient_calls: nothing is sent and nothing is typed: the patient calls a number from their phone, and the vendor tells that it
            called. A caller's number can be forged, so it is never enough by itself, and a stranger costs the owner nothing by it.
        tells_reading: a vendor may report that the message was read, so a delivered one is asked about further.
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
        """Whether it may be not enough by itself, and a longer code is a better proof."""
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
