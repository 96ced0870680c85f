"""The table of what each way of getting a code has cost. The count is exact over restarts and several processes. All times are UTC."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, SQLModel


class ChannelSpending(SQLModel, table=True):
    """What a way of getting a code, or the notices, cost on one day."""

    __tablename__ = "channel_spending"

    channel: str = Field(primary_key=True)
    day: date = Field(primary_key=True)  # the date in Moscow
    kopecks: int
