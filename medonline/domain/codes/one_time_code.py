"""How a one-time code is made, kept and compared.

A code is never stored. It is derived from a secret key and the random id of the intent to send it. So a dispatcher that restarts
after a crash sends the same code, and a copy of the database reveals no code. The database stores a digest that is bound to the flow,
the purpose and the phone (HMAC-SHA256), so a code of one flow is useless in another.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import CodeEmpty, CodeIncomplete
from medonline.domain.limits import Limit
from medonline.domain.phone import PhoneNumber

MAX_TYPED = 200
_DIGITS = re.compile(r"\d")


def derive_code(key: bytes, code_id: str, length: int) -> str:
    """`length` decimal digits that only a holder of `key` can compute from `code_id` (128 random bits or more)."""
    mac = hmac.new(key, f"one-time-code|{code_id}".encode(), hashlib.sha256).digest()
    return str(int.from_bytes(mac[:16], "big") % 10**length).zfill(length)


def code_digest(key: bytes, *, flow_id: str, purpose: str, phone: PhoneNumber, code: str) -> str:
    """What the database stores of a code: 64 hex characters."""
    text = "|".join((flow_id, purpose, phone.e164, code))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def digits_typed(typed: str) -> str:
    """The code in what a person typed or pasted. Spaces, dashes and words around the digits are ignored.

    Raises:
        CodeEmpty: there are no digits.
    """
    digits = "".join(str(int(digit)) for digit in _DIGITS.findall(typed[:MAX_TYPED]))
    if not digits:
        raise CodeEmpty
    return digits


def digits_for(channel: ChannelName, digits: str) -> str:
    """The digits to compare. In a whole calling number (10 or 11 digits) the last ones are the code.

    Raises:
        CodeIncomplete: there are too few or too many digits. No attempt is used.
    """
    if channel.facts.by_calling_number and len(digits) in (10, 11):
        return digits[-channel.code_length :]
    if len(digits) != channel.code_length:
        raise CodeIncomplete(channel.code_length)
    return digits


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """How long codes live, how many guesses each allows, and how long to wait before the next one.

    Attributes:
        life: the life of a code, for each way of getting it.
        guesses: a code is dead after this many wrong guesses.
        resend_pauses: the pause after the first, second, … code to one phone within a day. The last one repeats.
        per_phone: how many codes may be sent to one phone, no matter who asks.
    """

    life: dict[ChannelName, timedelta]
    guesses: int
    resend_pauses: tuple[timedelta, ...]
    per_phone: tuple[Limit, ...] = ()

    def expires_at(self, channel: ChannelName, issued_at: datetime) -> datetime:
        """The moment (UTC) from which the code is refused."""
        return issued_at + self.life[channel]

    def resend_at(self, codes_issued: int, last_issued_at: datetime) -> datetime:
        """The moment (UTC) from which the next code may be asked for. `codes_issued` includes the last one."""
        pause = self.resend_pauses[min(codes_issued, len(self.resend_pauses)) - 1]
        return last_issued_at + pause
