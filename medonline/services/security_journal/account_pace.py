"""Limits on acts of an account that the journal keeps for years: nobody who is signed in may fill what cannot be deleted.

The journal's own rows are counted, so the count is exact over a restart and over several processes. It starts again when the owner takes
the account back by more than its password: so a person who knew the password and used up the day's acts locks the owner out of nothing. It
also starts again when the desk allows it (`medonline limits reset --pace`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from medonline.domain.errors import LimitReached, ProvedTooOften, SettingsSavedTooOften, SignedInTooOften
from medonline.domain.limits import Limit, open_from
from medonline.domain.security_journal import JournalEvent
from medonline.storage.queries import security_journal


class Act(StrEnum):
    """The acts that are counted. Each has its rows in the journal."""

    SIGN_IN = "sign_in"
    PROOF = "proof"
    SAVE = "save"


_EVENTS: Mapping[Act, tuple[JournalEvent, ...]] = {
    # A passkey whose device counts backwards writes two rows.
    Act.SIGN_IN: (JournalEvent.SIGNED_IN, JournalEvent.PASSKEY_COUNTED_BACK),
    Act.PROOF: (JournalEvent.REAUTHENTICATED,),
    Act.SAVE: (
        JournalEvent.PASSWORD_CHANGED,
        JournalEvent.PHONE_CHANGED,
        JournalEvent.EMAIL_CHANGED,
        JournalEvent.NAME_CHANGED,
        JournalEvent.PASSKEY_ADDED,
        JournalEvent.PASSKEY_REMOVED,
    ),
}
_REFUSALS: Mapping[Act, type[LimitReached]] = {
    Act.SIGN_IN: SignedInTooOften,
    Act.PROOF: ProvedTooOften,
    Act.SAVE: SettingsSavedTooOften,
}


@dataclass(frozen=True, slots=True)
class AccountPace:
    """The use case; `limits` are the numbers (settings)."""

    limits: Mapping[Act, tuple[Limit, ...]]

    def admit(self, session: Session, patient_id: str, act: Act, now: datetime) -> None:
        """Allow one more act. It is exact if the caller's transaction holds the patient's row and writes the act's own row.

        Raises:
            SignedInTooOften, ProvedTooOften, SettingsSavedTooOften: depending on the act.
        """
        limits = self.limits[act]
        most = max(limit.count for limit in limits)
        times = security_journal.times_since_taken_back(session, patient_id, _EVENTS[act], most)
        until = full_until(times, limits, now)
        if until is not None:
            raise _REFUSALS[act](now, until)

    def counted(self, session: Session, patient_id: str, now: datetime) -> list[tuple[Act, Limit, int]]:
        """For each act, how many are counted in each of its windows."""
        found = []
        for act, limits in self.limits.items():
            most = max(limit.count for limit in limits)
            times = security_journal.times_since_taken_back(session, patient_id, _EVENTS[act], most)
            found += [(act, limit, sum(now - limit.per < at <= now for at in times)) for limit in limits]
        return found


def full_until(times: Sequence[datetime], limits: Sequence[Limit], now: datetime) -> datetime | None:
    """The moment (UTC) from which one more is within the limits again. None when it is within them now."""
    # Times in the future say nothing: the clock was set back.
    until = open_from(sorted((at for at in times if at <= now), reverse=True), limits)
    return until if until is not None and until > now else None
