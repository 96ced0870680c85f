"""The table of ways of getting a code that were switched off or on while the portal ran. All times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime


class ChannelSwitch(SQLModel, table=True):
    """The last switch of one way. A way without a row was never switched and is on."""

    __tablename__ = "channel_switch"

    channel: str = Field(primary_key=True)  # domain.codes.one_time_code.ChannelName
    off: bool
    by_rule: bool  # switched off because its codes did not arrive, not by an operator
    since: datetime = Field(sa_type=UtcDateTime)
    reason: str = ""  # a Russian sentence for patients; when empty, the portal uses its own words
    next_trial_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # off by rule: when a code may be tried
