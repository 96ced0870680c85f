"""How often policies may be tried and the registry asked. An attempt is counted before the question, whatever the answer.

A limit of misses would not be enough: a policy's number can be guessed from its owner's birth date, and each hit shows a stranger's card.
So successes count, too, for each account and for each policy over all accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.errors import RateLimited
from medonline.services.clock import Clock
from medonline.services.crypto.field_encryption import Sealer
from medonline.storage.engine import Database, writes
from medonline.storage.queries import patient_cards, patients
from medonline.storage.tables.patient_cards import CardAttempt

# The limits of an account, and of a policy.
ATTEMPTS = ((timedelta(hours=1), 5), (timedelta(days=1), 10))
# Opened pages cause six of them an hour.
REFRESHES_PER_HOUR = 12
REFRESH_PAUSE = timedelta(minutes=1)
_LONGEST, _MOST = ATTEMPTS[-1]


@dataclass(frozen=True, slots=True)
class CardAttempts:
    """The limits of the patient cards; `policies` makes the HMAC of a policy."""

    database: Database
    clock: Clock
    policies: Sealer

    @writes
    def count(self, session: Session, patient_id: str, policy: str) -> CardAttempt:
        """Record an attempt before it is made, so that of a hundred at the same moment no more are made than allowed.

        Raises:
            RateLimited: this account has made the most attempts allowed, or anybody has at this policy.
        """
        now = self.clock()
        indexes = self.policies.indexes(policy)
        attempt = CardAttempt(patient_id=patient_id, policy_index=indexes[0], at=now)
        # Locks are taken in this order, the journal's last, so that two accounts never wait for each other.
        patients.by_id_held(session, patient_id)
        patient_cards.hold_policy(session, indexes[0])
        since = now - _LONGEST
        mine = patient_cards.attempts_of_account(session, patient_id, since, _MOST)
        at_policy = patient_cards.attempts_at_policy(session, indexes, since, _MOST)
        until = max(_open_again(mine, now), _open_again(at_policy, now))
        if until > now:
            raise RateLimited(until - now)
        session.add(attempt)
        return attempt

    async def take_back(self, attempt: CardAttempt) -> None:
        """Take back an attempt that the registry did not answer: nothing was learned from it."""
        await self.database.write(patient_cards.take_back_attempt, attempt.id)

    @writes
    def begin_refresh(self, session: Session, patient_id: str, now: datetime, *, pressed: bool) -> bool:
        """Count a question to the registry for this account's list, if one is allowed now (UTC). Returns whether it is."""
        pause = REFRESH_PAUSE if pressed else None
        return patient_cards.begin_refresh(session, patient_id, now, REFRESHES_PER_HOUR, pause)

    async def refresh_failed(self, patient_id: str, pressed_at: datetime) -> None:
        """The registry did not answer «Обновить»: it may be pressed again at once. The limit per hour has counted it."""
        await self.database.write(patient_cards.forget_press, patient_id, pressed_at)

    async def refresh_wait(self, patient_id: str) -> timedelta:
        """How long until «Обновить» may be pressed again. Zero when it may be pressed now."""
        now = self.clock()
        row = await self.database.read(patient_cards.refresh_of, patient_id)
        if row is None:
            return timedelta()
        until = now
        if row.pressed_at is not None:
            until = row.pressed_at + REFRESH_PAUSE
        if row.asked_in_hour >= REFRESHES_PER_HOUR:
            until = max(until, row.hour_began_at + timedelta(hours=1))
        return max(until - now, timedelta())


def _open_again(newest_first: Sequence[datetime], now: datetime) -> datetime:
    """When the next attempt may be made (UTC): `now`, or when the oldest attempt that fills a limit is old enough."""
    until = now
    for window, allowed in ATTEMPTS:
        within = [at for at in newest_first if at > now - window]
        if len(within) >= allowed:
            until = max(until, within[allowed - 1] + window)
    return until
