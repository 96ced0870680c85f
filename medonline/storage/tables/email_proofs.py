"""The table of proofs of an e-mail address. All times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime


class EmailProof(SQLModel, table=True):
    """A code sent to an address. It proves that its reader has the account. The code itself is not kept."""

    __tablename__ = "email_proof"

    id: str = Field(primary_key=True)  # the id of the notice that carries the code
    patient_id: str = Field(foreign_key="patient.id", index=True)
    email: str = Field(index=True)  # in the form in which addresses are compared
    created_at: datetime = Field(sa_type=UtcDateTime)
    misses: int = 0
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # code entered, replaced or used up
