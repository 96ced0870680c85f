"""Tables of what must be counted exactly, over a restart and over several processes."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from medonline.storage.columns import UtcDateTime, new_id


class CodeMiss(SQLModel, table=True):
    """A wrong code was typed, for whatever phone; kept as long as the circuit breaker looks back."""

    __tablename__ = "code_miss"

    id: str = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)


class CircuitBreaker(SQLModel, table=True):
    """One row per breaker, made by the migration."""

    __tablename__ = "circuit_breaker"

    name: str = Field(primary_key=True)
    open_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: never opened
    times: int = 0  # openings in a row: each doubles the time


class ChannelSpending(SQLModel, table=True):
    """What a way of getting a code has cost on a day."""

    __tablename__ = "channel_spending"

    channel: str = Field(primary_key=True)
    day: date = Field(primary_key=True)  # of Moscow
    kopecks: int
