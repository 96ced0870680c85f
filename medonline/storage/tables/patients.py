"""The table of patients. All times are UTC."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class Patient(SQLModel, table=True):
    """A person with an account (личный кабинет). The phone, if there is one, is the sign-in name."""

    __tablename__ = "patient"
    __table_args__ = (Index("ix_patient_name", "last_name", "first_name", "id"),)  # an operator's search and listing

    id: str = Field(default_factory=new_id, primary_key=True)
    phone: str | None = Field(default=None, unique=True)  # E.164; None: the patient signs in through Gosuslugi only
    email: str = ""  # as the settings show it, proved or not
    proved_email: str = ""  # notices go to this address: the patient entered a code that was sent there
    email_proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_name: str
    first_name: str
    patronymic: str = ""
    birth_date: date | None = None
    snils_index: str | None = Field(default=None, unique=True)  # HMAC (services.crypto.field_encryption)
    snils_sealed: str = ""
    oms_policy_sealed: str = ""
    cards_fetched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when the registry last answered
    cards_incomplete: bool = Field(default=False)  # that answer had records that could not be read
    password_hash: str | None = None  # Argon2id, encoded form
    password_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # Counts the changes of the password. Times are not enough: two changes may have the same time, and a clock may be set back.
    password_version: int = Field(default=0)
    phone_proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recovery_stopped_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # after «это не я»
    created_at: datetime = Field(sa_type=UtcDateTime)
