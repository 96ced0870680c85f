"""Tables of one-time codes, and of the circuit breaker that watches them.

All times are UTC. A code is stored only as an HMAC (`domain.codes.one_time_code`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class OneTimeCodeRow(SQLModel, table=True):
    """A code and the state of its delivery. The row is the intent to send: it is committed before anything is sent."""

    __tablename__ = "one_time_code"
    __table_args__ = (
        Index("ix_one_time_code_phone", "phone", "issued_at"),
        Index("ix_one_time_code_flow", "flow_id", "issued_at"),
        Index("ix_one_time_code_due", "due_at"),
        Index("ix_one_time_code_issued", "issued_at"),
        Index("ix_one_time_code_chat", "chat_user"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)  # also the idempotency key at the provider
    flow_id: str
    purpose: str
    phone: str  # E.164
    channel: str  # domain.codes.one_time_code.ChannelName
    digest: str  # empty when the patient types no code
    client_ip: str = ""
    price: int = 0  # kopecks reserved for it; 0 once they were returned
    issued_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    misses: int = 0
    older_typed: int = 0  # in a flow's first code: how often an older code of the flow was typed and reported as such
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    replaced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivery: str  # services.codes.delivery.DeliveryState
    problem: str = ""  # why the delivery failed
    provider: str = ""
    provider_ref: str = ""
    attempts: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when the dispatcher looks at it next
    # For a code that waits for a chat: the user who began it, as a keyed hash, and the chat until the code is sent into it.
    chat_user: str = Field(default="", sa_column_kwargs={"server_default": ""})
    chat_id: int | None = Field(default=None, sa_type=BigInteger)
    # For a way by which the patient calls: the number to dial (E.164), once the vendor has named it.
    call_number: str = Field(default="", sa_column_kwargs={"server_default": ""})


class CodeMiss(SQLModel, table=True):
    """A wrong code was typed, for any phone. Kept as long as the circuit breaker looks back."""

    __tablename__ = "code_miss"

    id: str = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)


class CircuitBreaker(SQLModel, table=True):
    """One row per breaker, made by the migration."""

    __tablename__ = "circuit_breaker"

    name: str = Field(primary_key=True)
    open_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: never opened
    times: int = 0  # openings in a row: each doubles the time
