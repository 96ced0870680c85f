"""What each way of getting a code costs on a day: one atomic statement per change."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.storage.tables.limits import ChannelSpending

_BEGIN_DAY = text(
    "INSERT INTO channel_spending (channel, day, kopecks) VALUES (:channel, :day, 0) ON CONFLICT DO NOTHING"
)


async def spent(session: AsyncSession, day: date) -> dict[str, int]:
    """Kopecks spent on a day, by way; a way that is missing has spent nothing."""
    statement = select(ChannelSpending.channel, ChannelSpending.kopecks).where(ChannelSpending.day == day)
    return dict((await session.exec(statement)).all())


async def add_within(session: AsyncSession, channel: str, day: date, price: int, cap: int | None) -> int | None:
    """Spend `price` if the day's sum stays within `cap`; the sum then, None when it would not stay. All in kopecks."""
    connection = await session.connection()
    await connection.execute(_BEGIN_DAY.bindparams(channel=channel, day=day))
    statement = (
        update(ChannelSpending)
        .where(col(ChannelSpending.channel) == channel, col(ChannelSpending.day) == day)
        .values(kopecks=col(ChannelSpending.kopecks) + price)
        .returning(col(ChannelSpending.kopecks))
    )
    if cap is not None:
        statement = statement.where(col(ChannelSpending.kopecks) + price <= cap)
    row = (await session.exec(statement)).first()
    return None if row is None else int(row[0])


async def give_back(session: AsyncSession, channel: str, day: date, price: int) -> None:
    """What was reserved and not spent after all."""
    await session.exec(
        update(ChannelSpending)
        .where(col(ChannelSpending.channel) == channel, col(ChannelSpending.day) == day)
        .values(kopecks=col(ChannelSpending.kopecks) - price)
    )
