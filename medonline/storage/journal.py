"""Questions about the security journal; the order of its rows is settled under one lock that is taken last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.domain.security_journal import GENESIS
from medonline.storage.journal_models import JournalCheckpoint, JournalEntry

# Of the portal's own: two hashes of phones never meet it but by chance, and then they only wait.
_LOCK = 0x6D65646A6F75726E


@dataclass(frozen=True, slots=True)
class Head:
    """The last row: what the next one is numbered and chained by."""

    seq: int
    hash: str


async def hold(session: AsyncSession) -> None:
    """Of transactions that write into the journal one goes on at a time, until it ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.exec(select(func.pg_advisory_xact_lock(_LOCK)))


async def head(session: AsyncSession) -> Head:
    """The last row, or the last one that was deleted in its time; before the first row, number 0."""
    for table in (JournalEntry, JournalCheckpoint):
        statement = select(table.seq, table.hash).order_by(col(table.seq).desc()).limit(1)
        row = (await session.exec(statement)).first()
        if row is not None:
            return Head(*row)
    return Head(0, GENESIS)


async def checkpoints(session: AsyncSession) -> Sequence[JournalCheckpoint]:
    """All of them, the oldest first."""
    return (await session.exec(select(JournalCheckpoint).order_by(col(JournalCheckpoint.seq)))).all()


async def after(session: AsyncSession, seq: int, limit: int) -> Sequence[JournalEntry]:
    """Rows that follow a number, in order."""
    statement = select(JournalEntry).where(col(JournalEntry.seq) > seq).order_by(col(JournalEntry.seq)).limit(limit)
    return (await session.exec(statement)).all()


async def forget_through(session: AsyncSession, seq: int) -> int:
    """Delete the rows that a checkpoint stands for; how many."""
    return int((await session.exec(delete(JournalEntry).where(col(JournalEntry.seq) <= seq))).rowcount)


async def of_patient(
    session: AsyncSession, patient_id: str, phone_indexes: Sequence[str], since: datetime, before: int, limit: int
) -> Sequence[JournalEntry]:
    """Rows a patient may read, the newest first, with numbers below `before`: their own, and those about their phone since a
    moment (UTC) at which it was theirs."""
    about_phone = (
        col(JournalEntry.patient_id) == "",
        col(JournalEntry.phone_index).in_(phone_indexes),
        col(JournalEntry.at) >= since,
    )
    statement = (
        select(JournalEntry)
        .where(
            col(JournalEntry.seq) < before,
            or_(col(JournalEntry.patient_id) == patient_id, about_phone[0] & about_phone[1] & about_phone[2]),
        )
        .order_by(col(JournalEntry.seq).desc())
        .limit(limit)
    )
    return (await session.exec(statement)).all()


async def newest_of_event(session: AsyncSession, patient_id: str, event: str) -> datetime | None:
    """When this last happened to a patient (UTC)."""
    statement = (
        select(JournalEntry.at)
        .where(JournalEntry.patient_id == patient_id, JournalEntry.event == event)
        .order_by(col(JournalEntry.seq).desc())
        .limit(1)
    )
    return (await session.exec(statement)).first()


async def rows_by_key(session: AsyncSession) -> dict[str, int]:
    """How many rows the key of each id has made the hash of."""
    statement = select(JournalEntry.key_id, func.count()).group_by(col(JournalEntry.key_id))
    return {key: int(count) for key, count in (await session.exec(statement)).all()}
