"""The table of notices. All times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class Notice(SQLModel, table=True):
    """Something that a patient must be told. The row is the intent to tell it."""

    __tablename__ = "notice"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    phone: str  # the account's phone (E.164) when the notice was made; empty: it had none
    email: str = ""  # empty: the notice goes to the phone
    is_copy: bool = False  # another row tells the same in another way; both count as one
    text: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)  # None: done
    attempts: int = 0
    paid_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # when the next attempt's cost was counted; None: not yet
    kopecks: int = 0  # the cost that was counted then
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    problem: str = ""
    provider_ref: str = ""
    about: str = ""  # services.notices.texts.About: decides what a dispute undoes
    dispute_hash: str | None = Field(default=None, unique=True)  # SHA-256 of the token in the link «это не я»
    disputed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
