"""Tables of the security journal. Triggers made by the migration forbid changing a row, leaving out a number, and deleting a row that no
checkpoint replaces."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime


class JournalEntry(SQLModel, table=True):
    """What happened to an account (domain.security_journal). No foreign key: rows outlive an erased account."""

    __tablename__ = "security_journal"
    # Many rows name no patient, so with an index on the id alone each page of each patient would read all of them. Each index ends with the
    # number, so that only the newest rows are read.
    __table_args__ = (
        Index("ix_security_journal_phone", "phone_index", "patient_id", "seq"),
        Index("ix_security_journal_patient", "patient_id", "seq"),
        Index("ix_security_journal_patient_event", "patient_id", "event", "seq"),
    )

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    event: str
    patient_id: str = ""
    phone_index: str = ""
    phone_tail: str = ""
    network: str = ""
    details: str = "{}"
    previous: str
    key_id: str  # the master key that `hash` was made with
    hash: str  # HMAC-SHA256 over domain.security_journal.JournalLine.text


class JournalCheckpoint(SQLModel, table=True):
    """Rows up to `seq` were deleted because they were past their time. `hash` is the last one's: the next row is chained to it."""

    __tablename__ = "security_journal_checkpoint"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime)
    hash: str
    key_id: str
    seal: (
        str  # HMAC-SHA256 over number, time and hash: without the key no one can pretend that rows were past their time
    )


class JournalExamination(SQLModel, table=True):
    """When the whole journal was last examined (UTC), how many rows there were, and whether it was intact. The table has one row."""

    __tablename__ = "journal_examination"

    name: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    rows: int
    whole: bool
