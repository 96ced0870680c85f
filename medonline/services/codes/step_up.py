"""Whether a right code alone is enough: the signs of a guesser or of a reissued number (docs/decisions/0013)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.step_up import Signs, StepUpPolicy
from medonline.storage.queries import codes
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.patients import Patient


@dataclass(frozen=True, slots=True)
class StepUp:
    """Reads the signs inside a session of the caller."""

    policy: StepUpPolicy

    def signs(
        self,
        session: Session,
        row: OneTimeCodeRow,
        patient: Patient | None,
        now: datetime,
        *,
        suspicious_network: bool,
    ) -> Signs:
        """The signs against this code, which was just confirmed. The age of the proof is included only where `patient` is given."""
        since = now - self.policy.misses_within
        misses, open_until = codes.signs_on_phone(session, row.phone, row.id, since)
        return Signs(
            channel=ChannelName(row.channel),
            misses=misses,
            proved_at=(patient.phone_proved_at or patient.created_at) if patient else None,
            breaker_open=open_until is not None and now < open_until,
            suspicious_network=suspicious_network,
        )
