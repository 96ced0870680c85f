"""When a code from a call is not enough to hand over an account (step-up).

Four digits are 13 bits: three guesses are 3·10⁻⁴, which is for the calm case. Numbers are reissued, too: whoever holds one
today need not be who held it a quarter of a year ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from medonline.domain.codes.one_time_code import ChannelName


class StepUpWhen(StrEnum):
    """The operator's choice."""

    RISK = "risk"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known when the right code was typed.

    Attributes:
        channel: how the code came; six digits of a messenger are enough by themselves.
        dead_code_at: when the last code to this phone was issued that died of wrong guesses (UTC); None when none did.
        proved_at: when the account's holder last proved the phone (UTC); None without an account or a proof.
        breaker_open: whether wrong codes over all phones are too many just now.
    """

    channel: ChannelName
    dead_code_at: datetime | None
    proved_at: datetime | None
    breaker_open: bool


@dataclass(frozen=True, slots=True)
class StepUpPolicy:
    """The numbers (settings)."""

    when: StepUpWhen
    dead_code_within: timedelta
    proof_age: timedelta

    def is_needed(self, signs: Signs, now: datetime) -> bool:
        """Whether something more than the code must be shown. A phone without any history goes straight on."""
        if self.when is StepUpWhen.NEVER or signs.channel is not ChannelName.FLASH_CALL:
            return False
        return (
            self.when is StepUpWhen.ALWAYS
            or signs.breaker_open
            or (signs.dead_code_at is not None and now - signs.dead_code_at < self.dead_code_within)
            or (signs.proved_at is not None and now - signs.proved_at > self.proof_age)
        )
