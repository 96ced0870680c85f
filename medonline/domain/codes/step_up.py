"""When a code from a call is not enough to hand over an account (step-up).

There are two dangers, and each leaves its own signs. A guesser leaves wrong guesses: then the four digits of a call (13 bits, three
guesses succeed with 3·10⁻⁴) are not enough, but the six digits of a messenger are. The new owner of a number receives every code,
whatever its length: when the account has not proved the number for a long time, no code alone is enough. A call that the patient
makes is not a code. A caller's number can be forged, so such a call alone is never enough.
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
        channel: how the code came. Six digits of a messenger are enough by themselves.
        misses: wrong guesses at codes to this phone within `StepUpPolicy.misses_within`. They count for codes that were never confirmed,
            also replaced and expired ones, and for the code that was just confirmed.
        proved_at: when the account's holder last proved the phone (UTC), or when the account was made if nothing else is known. None
            without an account.
        breaker_open: whether there are too many wrong codes over all phones just now.
        suspicious_network: whether too many wrong codes came from the network of this code.
    """

    channel: ChannelName
    misses: int
    proved_at: datetime | None
    breaker_open: bool
    suspicious_network: bool = False


@dataclass(frozen=True, slots=True)
class StepUpPolicy:
    """The numbers of the rule (settings). With `misses_allowed` wrong guesses, as many as one code allows, the rule assumes a guesser."""

    when: StepUpWhen
    misses_within: timedelta
    proof_age: timedelta
    misses_allowed: int = 3

    def is_needed(self, signs: Signs, now: datetime) -> bool:
        """Whether the patient must show more than the code. A phone without any history needs nothing more.

        A call that the patient made always needs more, whatever the operator chose.
        """
        if signs.channel.facts.patient_calls:
            return True
        if self.when is StepUpWhen.NEVER:
            return False
        is_old = signs.proved_at is not None and now - signs.proved_at > self.proof_age
        if self.when is StepUpWhen.ALWAYS or is_old:
            return True
        is_guessed_at = signs.breaker_open or signs.suspicious_network or signs.misses >= self.misses_allowed
        return is_guessed_at and signs.channel.facts.guessable
