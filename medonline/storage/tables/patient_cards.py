"""Tables of «Мои карты»: the registry's last good answer about each card of an account."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class PatientCard(SQLModel, table=True):
    """A medical card in a clinic as an account shows it; the policy's number is kept masked only."""

    __tablename__ = "patient_card"
    __table_args__ = (UniqueConstraint("patient_id", "ref"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    ref: str  # the registry's id
    number: str
    clinic_name: str
    clinic_address: str = ""
    clinic_phone: str = ""
    holder: str  # full name
    birth_date: date | None = None
    policy_masked: str = ""
    whose: str  # services.patient_cards.Whose
    attached_since: date | None = None
    active: bool
    in_registry: bool = True  # False: the registry does not have it any more
    fetched_at: datetime = Field(sa_type=UtcDateTime)
    unlinked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CardMiss(SQLModel, table=True):
    """A policy or birth date that did not fit: counted, so that nobody guesses them."""

    __tablename__ = "card_miss"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
