"""The table of recoveries. All times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class PasswordRecovery(SQLModel, table=True):
    """One attempt of one browser to recover a password by phone."""

    __tablename__ = "password_recovery"
    __table_args__ = (Index("ix_password_recovery_visitor", "visitor_key", "created_at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    visitor_key: str  # SHA-256 of the visitor cookie
    sitting_key: str = ""  # SHA-256 of the cookie that ends with the browser; set once the phone is proved
    phone: str  # E.164
    step: str  # domain.password_recovery.RecoveryStep
    patient_id: str | None = Field(default=None, foreign_key="patient.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    birth_date_misses: int = 0
    identities_unlinked: int = 0  # removed by the new password: identities linked by less than Gosuslugi's own data
    passkeys_removed: int = 0  # removed by the new password
