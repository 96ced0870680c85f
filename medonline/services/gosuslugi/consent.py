"""Keeping what a patient agreed to."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from medonline.domain.personal_data_consent import VERSION, consent_text, text_hash
from medonline.storage.tables.gosuslugi import PersonalDataConsent


def add_consent(session: Session, patient_id: str, operator: str, now: datetime) -> None:
    """The consent in force, given now, in the caller's transaction."""
    shown = text_hash(consent_text(operator))
    session.add(PersonalDataConsent(patient_id=patient_id, version=VERSION, text_hash=shown, given_at=now))
