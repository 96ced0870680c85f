"""What each way of getting a code costs per day. Each change is one atomic statement."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Integer, String, bindparam, text
from sqlmodel import Session, col, select, update

from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.limits import ChannelSpending

_TYPES = (
    bindparam("channel", type_=String()),
    bindparam("day", type_=Date()),
    bindparam("price", type_=Integer()),
)
_ADD = (
    "INSERT INTO channel_spending (channel, day, kopecks) VALUES (:channel, :day, :price)"
    " ON CONFLICT (channel, day) DO UPDATE SET kopecks = channel_spending.kopecks + excluded.kopecks"
)
_ADD_WITHIN = text(_ADD + " WHERE channel_spending.kopecks + excluded.kopecks <= :cap RETURNING kopecks").bindparams(
    *_TYPES, bindparam("cap", type_=Integer())
)
_ADD_ANYHOW = text(_ADD + " RETURNING kopecks").bindparams(*_TYPES)
_SPENT = select(ChannelSpending.channel, ChannelSpending.kopecks).where(col(ChannelSpending.day) == bindparam("day"))
_GIVE_BACK = (
    update(ChannelSpending)
    .where(col(ChannelSpending.channel) == bindparam("of_channel"), col(ChannelSpending.day) == bindparam("on_day"))
    .values(kopecks=col(ChannelSpending.kopecks) - bindparam("price"))
    .execution_options(**UNSYNCHRONISED)
)


def spent(session: Session, day: date) -> dict[str, int]:
    """Kopecks spent on a day, by way; a way that is missing has spent nothing."""
    return dict(session.exec(_SPENT, params={"day": day}).all())


def add_within(session: Session, channel: str, day: date, price: int, cap: int | None) -> int | None:
    """Spend `price` if the day's sum stays within `cap`. Returns the new sum, or None when it would not stay within. All in kopecks."""
    if cap is not None and price > cap:
        return None  # the statement checks the cap only for a day that has a row
    session.flush()  # pending rows must be locked before the money (lock order: `storage.engine`)
    params: dict[str, object] = {"channel": channel, "day": day, "price": price}
    if cap is None:
        row = session.connection().execute(_ADD_ANYHOW, params).first()
    else:
        row = session.connection().execute(_ADD_WITHIN, params | {"cap": cap}).first()
    return None if row is None else int(row[0])


def give_back(session: Session, channel: str, day: date, price: int) -> None:
    """Return money that was reserved and not spent."""
    session.exec(_GIVE_BACK, params={"of_channel": channel, "on_day": day, "price": price})
