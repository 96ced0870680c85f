"""Tables of sign-in through Gosuslugi. All times are UTC.

The personal data of people who wait for an answer is sealed (`services.crypto.field_encryption`).
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class LinkedIdentity(SQLModel, table=True):
    """An account at an identity provider that opens a patient's account. Only (issuer, subject) identifies it."""

    __tablename__ = "linked_identity"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    how: str  # domain.gosuslugi.LinkedHow
    filled: str = ""  # fields of the account that came from it, separated by commas; a dispute clears them
    linked_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime = Field(sa_type=UtcDateTime)


class IdentityJourney(SQLModel, table=True):
    """A browser on its way to the identity provider and back. It lasts 10 minutes, works once, and there is one per browser."""

    __tablename__ = "identity_journey"

    state_hash: str = Field(primary_key=True)
    visitor_key: str = Field(unique=True)
    purpose: str  # services.gosuslugi.login.Purpose
    nonce: str
    code_verifier: str
    redirect_uri: str
    consent_version: str = ""  # consent given before the journey
    fresh: bool = False  # the provider must ask who the person is, even if it remembers them
    signing_out: bool = False  # the browser first signs out at the provider, so that nothing is remembered; this row's state is not used
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PendingIdentity(SQLModel, table=True):
    """Somebody who came back from the identity provider and is not known yet. They wait for consent, or for the proof of an old account.
    One per browser, 15 minutes; refusing deletes it."""

    __tablename__ = "pending_identity"

    id: str = Field(default_factory=new_id, primary_key=True)  # also the flow id of its codes
    visitor_key: str = Field(unique=True)
    purpose: str
    waits_for: str  # services.gosuslugi.login.Waiting
    sealed_person: str
    proof_phone: str = ""  # E.164: where the code that proves the old account goes
    consent_version: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)


class PersonalDataConsent(SQLModel, table=True):
    """Consent to the processing of personal data (152-ФЗ): which text, and when."""

    __tablename__ = "personal_data_consent"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    version: str
    text_hash: str  # SHA-256 of the text that was shown
    given_at: datetime = Field(sa_type=UtcDateTime)
