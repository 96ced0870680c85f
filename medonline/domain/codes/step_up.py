"""When a code from a call is not enough to hand over an account (step-up).

Two dangers, two kinds of signs. A guesser leaves wrong guesses: then a call's four digits (13 bits, three guesses are 3·10⁻⁴)
are not enough, a messenger's six are. A number's new owner receives every code, whatever its length: when the account has not
proved the number for long, no code alone is enough. A call that the patient makes is no code: a caller's number can be forged, and
it is never enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from medonline.domain.codes.channels import ChannelName


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
        misses: wrong guesses at the codes to this phone within `StepUpPolicy.misses_within`: at those that were never confirmed,
            replaced and expired ones included, and at the one that was just confirmed.
        proved_at: when the account's holder last proved the phone, or when the account was made if that is all there is (UTC);
            None without an account.
        breaker_open: whether wrong codes over all phones are too many just now.
        suspicious_network: whether those are too many that came from the network of this code.
    """

    channel: ChannelName
    misses: int
    proved_at: datetime | None
    breaker_open: bool
    suspicious_network: bool = False


@dataclass(frozen=True, slots=True)
class StepUpPolicy:
    """The numbers (settings). `misses_allowed` is what one code takes: further guesses at the next code are a guesser's."""

    when: StepUpWhen
    misses_within: timedelta
    proof_age: timedelta
    misses_allowed: int = 3

    def is_needed(self, signs: Signs, now: datetime) -> bool:
        """Whether something more than the code must be shown. A phone without any history goes straight on, but after a call of
        the patient's: whatever the operator chose, that alone opens nothing."""
        if signs.channel.facts.patient_calls:
            return True
        if self.when is StepUpWhen.NEVER:
            return False
        is_old = signs.proved_at is not None and now - signs.proved_at > self.proof_age
        if self.when is StepUpWhen.ALWAYS or is_old:
            return True
        is_guessed_at = signs.breaker_open or signs.suspicious_network or signs.misses >= self.misses_allowed
        return is_guessed_at and signs.channel.facts.guessable
