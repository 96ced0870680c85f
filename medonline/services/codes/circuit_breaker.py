"""The circuit breaker over all phones. It opens after too many wrong codes or too few right ones; then a call alone is enough for nobody.

Limits per phone and network do not see an attack that is spread over thousands of both; the breaker does. It goes from closed to open (30
min), and then counts again. If it opens again within a day after the last end, the time doubles. The row survives a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.limits import Limit
from medonline.services.codes.delivery import DeliveryState
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.storage.queries import codes_circuit_breaker
from medonline.storage.queries.codes_circuit_breaker import BreakerState

SAMPLE = 100
HALF_FOR = timedelta(days=1)
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """The numbers (settings).

    Attributes:
        misses: the breaker opens at one wrong code more than this within its span.
        confirmed_percent: the breaker opens when a smaller share of the last 100 codes was confirmed.
        open_for: how long it stays open the first time. Each further time in a row takes twice as long, at most a day.
    """

    misses: Limit
    confirmed_percent: int
    open_for: timedelta

    def length(self, times: int) -> timedelta:
        """How long the breaker stays open when it opens for the `times`-th time in a row."""
        return min(self.open_for * (1 << min(times - 1, 16)), LONGEST)


@dataclass(frozen=True, slots=True)
class CodeBreaker:
    """Reads and changes the breaker inside a session of the caller."""

    policy: BreakerPolicy
    guesses: int
    alarms: Alarms

    def note_miss(self, session: Session, now: datetime) -> None:
        """Count a wrong code, for whatever phone. Known and unknown phones cost the same."""
        span = self.policy.misses.per
        codes_circuit_breaker.add_miss(session, now, now - span)
        row = codes_circuit_breaker.state(session)
        if _is_open(row, now):
            return
        misses = codes_circuit_breaker.misses(session, after=now - span, since=row.open_until)
        if misses > self.policy.misses.count:
            self._open(session, row, now, f"{misses} wrong codes within {span.total_seconds() / 60:.0f} min")

    def weigh(self, session: Session, now: datetime) -> None:
        """Judge the outcome of the last codes. Called whenever a code is issued."""
        outcomes = codes_circuit_breaker.last_outcomes(session, now, self.guesses, DeliveryState.FAILED, SAMPLE)
        confirmed = sum(outcomes)
        if len(outcomes) < SAMPLE or confirmed * 100 >= self.policy.confirmed_percent * SAMPLE:
            return
        row = codes_circuit_breaker.state(session)
        if not _is_open(row, now):
            self._open(session, row, now, f"only {confirmed} of the last {SAMPLE} codes were confirmed")

    def _open(self, session: Session, row: BreakerState, now: datetime, reason: str) -> None:
        half = row.open_until is not None and now - row.open_until < HALF_FOR
        times = row.times + 1 if half else 1
        length = self.policy.length(times)
        if codes_circuit_breaker.open_(session, now, now + length, times):
            minutes = f"{length.total_seconds() / 60:.0f} min"
            text = f"the circuit breaker of codes is open for {minutes}: {reason}"
            self.alarms.sound(Alarm.BREAKER_OPEN, text, of=now.isoformat())


def _is_open(row: BreakerState, now: datetime) -> bool:
    return row.open_until is not None and now < row.open_until
