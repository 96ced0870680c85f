"""The table of what each way of getting a code has cost: counted exactly, over a restart and over several processes. All times are UTC."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, SQLModel


class ChannelSpending(SQLModel, table=True):
    """What a way of getting a code, or the notices, have cost on a day."""

    __tablename__ = "channel_spending"

    channel: str = Field(primary_key=True)
    day: date = Field(primary_key=True)  # of Moscow
    kopecks: int
