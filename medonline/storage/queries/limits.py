"""What each way of getting a code costs on a day: one atomic statement per change."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlmodel import Session, col, select, update

from medonline.storage.tables.limits import ChannelSpending

_BEGIN_DAY = text(
    "INSERT INTO channel_spending (channel, day, kopecks) VALUES (:channel, :day, 0) ON CONFLICT DO NOTHING"
)


def spent(session: Session, day: date) -> dict[str, int]:
    """Kopecks spent on a day, by way; a way that is missing has spent nothing."""
    statement = select(ChannelSpending.channel, ChannelSpending.kopecks).where(ChannelSpending.day == day)
    return dict(session.exec(statement).all())


def add_within(session: Session, channel: str, day: date, price: int, cap: int | None) -> int | None:
    """Spend `price` if the day's sum stays within `cap`; the sum then, None when it would not stay. All in kopecks."""
    connection = session.connection()
    connection.execute(_BEGIN_DAY.bindparams(channel=channel, day=day))
    statement = (
        update(ChannelSpending)
        .where(col(ChannelSpending.channel) == channel, col(ChannelSpending.day) == day)
        .values(kopecks=col(ChannelSpending.kopecks) + price)
        .returning(col(ChannelSpending.kopecks))
    )
    if cap is not None:
        statement = statement.where(col(ChannelSpending.kopecks) + price <= cap)
    row = session.exec(statement).first()
    return None if row is None else int(row[0])


def give_back(session: Session, channel: str, day: date, price: int) -> None:
    """What was reserved and not spent after all."""
    session.exec(
        update(ChannelSpending)
        .where(col(ChannelSpending.channel) == channel, col(ChannelSpending.day) == day)
        .values(kopecks=col(ChannelSpending.kopecks) - price)
    )
