"""Tables of «Мои карты»: the registry's last good answer about each card of an account, and who may see it. Times are UTC."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class CardAccess(SQLModel, table=True):
    """A request to see the cards of somebody aged 15 or older, and its outcome. It holds nothing that the registry said."""

    __tablename__ = "card_access"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)  # the patient who asks
    policy_sealed: str  # as the asking patient typed it
    policy_index: str = Field(index=True)  # HMAC of the policy
    birth_date: date  # as the asking patient typed it
    state: str  # domain.card_access.AccessState
    asked_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    holder_id: str | None = Field(default=None, foreign_key="patient.id", index=True)  # the patient who answered
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PatientCard(SQLModel, table=True):
    """A medical card in a clinic as an account shows it. The policy's number is sealed, and masked for the screen."""

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
    policy_sealed: str = ""
    policy_index: str = Field(default="", index=True)  # HMAC: finds the owner of a card, who is asked for consent
    whose: str  # services.patient_cards.rows.Whose
    basis: str = ""  # domain.card_access.Basis
    stated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # «Я законный представитель ребёнка»
    access_id: str | None = Field(default=None, foreign_key="card_access.id", index=True)  # the consent
    attached_since: date | None = None
    active: bool
    in_registry: bool = True  # False: the registry no longer has it
    fetched_at: datetime = Field(sa_type=UtcDateTime)
    unlinked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CardAttempt(SQLModel, table=True):
    """A policy that was typed, whatever the result. Attempts are counted per account and per policy, so that nobody can try many."""

    __tablename__ = "card_attempt"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    policy_index: str = Field(index=True)  # HMAC
    at: datetime = Field(sa_type=UtcDateTime)


class CardRefresh(SQLModel, table=True):
    """How often the registry was asked for an account's cards."""

    __tablename__ = "card_refresh"

    patient_id: str = Field(foreign_key="patient.id", primary_key=True)
    pressed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the last answered «Обновить»
    hour_began_at: datetime = Field(sa_type=UtcDateTime)
    asked_in_hour: int
