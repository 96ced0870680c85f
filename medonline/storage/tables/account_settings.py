"""The table of changes that wait for the code to a new phone. All times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class AccountChange(SQLModel, table=True):
    """A change of the account settings that waits for the code to the new phone. Then the whole change is made at once."""

    __tablename__ = "account_change"

    id: str = Field(default_factory=new_id, primary_key=True)  # also the flow id of its codes
    patient_id: str = Field(foreign_key="patient.id", index=True)
    session_key: str = Field(index=True)  # the account session that asked; no other may finish it
    phone: str  # the new phone, E.164
    sealed: str  # the other requested values, as JSON; a password only as its hash
    created_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
