"""Records the consent of a patient."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from medonline.domain.personal_data_consent import VERSION
from medonline.storage.tables.gosuslugi import PersonalDataConsent


def add_consent(session: Session, patient_id: str, consent_hash: str, now: datetime) -> None:
    """Record the consent in force, given now, in the caller's transaction. `consent_hash`: the hash of the text that was shown."""
    session.add(PersonalDataConsent(patient_id=patient_id, version=VERSION, text_hash=consent_hash, given_at=now))
