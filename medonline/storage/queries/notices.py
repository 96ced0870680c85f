"""Questions about notices: what is to be told, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.storage.queries.security_journal import taken_back
from medonline.storage.tables.notices import Notice


async def due(session: AsyncSession, now: datetime, skip: tuple[str, ...], limit: int) -> Sequence[Notice]:
    """Notices that are to be looked at now (UTC), longest waiting first, without those to skip."""
    statement = (
        select(Notice)
        .where(col(Notice.due_at) <= now, col(Notice.id).not_in(skip))
        .order_by(col(Notice.due_at))
        .limit(limit)
    )
    return (await session.exec(statement)).all()


async def take(
    session: AsyncSession, notice_id: str, now: datetime, attempts: int, problem: str, lease_until: datetime
) -> bool:
    """Claim a due notice for one sender by counting an attempt; False when another was quicker."""
    statement = (
        update(Notice)
        .where(
            col(Notice.id) == notice_id,
            col(Notice.attempts) == attempts,
            col(Notice.due_at) <= now,
            col(Notice.sent_at).is_(None),
        )
        .values(attempts=attempts + 1, due_at=lease_until, problem=problem)
        .returning(col(Notice.id))
    )
    return (await session.exec(statement)).first() is not None


async def put_paid(session: AsyncSession, notice_id: str, now: datetime, kopecks: int) -> None:
    """What the attempt in hand costs was counted."""
    await session.exec(update(Notice).where(col(Notice.id) == notice_id).values(paid_at=now, kopecks=kopecks))


async def postpone(session: AsyncSession, notice_id: str, attempts: int, due_at: datetime) -> None:
    """The attempt in hand is not made: there is no money for it before `due_at` (UTC)."""
    await session.exec(
        update(Notice).where(col(Notice.id) == notice_id).values(attempts=attempts, due_at=due_at, problem="")
    )


async def put_sent(session: AsyncSession, notice_id: str, provider_ref: str, now: datetime) -> None:
    """The provider accepted it."""
    await session.exec(
        update(Notice)
        .where(col(Notice.id) == notice_id)
        .values(sent_at=now, due_at=None, provider_ref=provider_ref, problem="")
    )


async def put_failed(session: AsyncSession, notice_id: str, problem: str, due_at: datetime | None) -> bool:
    """The provider did not accept it; when to try again (UTC) and pay for that, None for never. False when it was sent."""
    failed = await session.exec(
        update(Notice)
        .where(col(Notice.id) == notice_id, col(Notice.sent_at).is_(None))
        .values(problem=problem, due_at=due_at, paid_at=None)
    )
    return bool(failed.rowcount)


async def end_links(session: AsyncSession, patient_id: str, now: datetime) -> None:
    """All links «это не я» to a patient, whom the caller holds, are used up."""
    await _end_links(session, patient_id, now)


async def end_links_before(session: AsyncSession, sent: Notice, now: datetime) -> None:
    """The links of notices to the same phone that were written before the one sent are used up; the caller holds the patient."""
    older = (col(Notice.phone) == sent.phone, col(Notice.created_at) < sent.created_at)
    await _end_links(session, sent.patient_id, now, *older)


async def end_links_with(session: AsyncSession, disputed: Notice, now: datetime) -> None:
    """The links that end with this one are used up; the caller holds the patient.

    Those of earlier notices to another phone stay: it was the account's before the disputed one was.
    """
    same_or_later = or_(col(Notice.phone) == disputed.phone, col(Notice.created_at) >= disputed.created_at)
    await _end_links(session, disputed.patient_id, now, same_or_later)


async def _end_links(session: AsyncSession, patient_id: str, now: datetime, *which: ColumnElement[bool]) -> None:
    live = (col(Notice.disputed_at).is_(None), col(Notice.dispute_hash).is_not(None))
    await session.exec(
        update(Notice).where(col(Notice.patient_id) == patient_id, *live, *which).values(disputed_at=now)
    )


async def was_told_since(session: AsyncSession, patient_id: str, about: str, since: datetime) -> bool:
    """Whether there is a notice to this patient about this that is younger than `since` (UTC)."""
    where = (Notice.patient_id == patient_id, Notice.about == about, col(Notice.created_at) > since)
    return (await session.exec(select(Notice.id).where(*where))).first() is not None


async def times_told(session: AsyncSession, patient_id: str, about: Collection[str], most: int) -> list[datetime]:
    """When (UTC) the newest notices about these to a patient were made, at most `most` of them, since the owner last took the
    account back."""
    back = taken_back(patient_id).subquery()
    newer = select(back.c.seq).where(back.c.at >= col(Notice.created_at)).exists()
    statement = (
        select(Notice.created_at)
        .where(Notice.patient_id == patient_id, col(Notice.about).in_(about), ~newer)
        .order_by(col(Notice.created_at).desc())
        .limit(most)
    )
    return list((await session.exec(statement)).all())


async def told_with_link(session: AsyncSession, dispute_hash: str) -> str | None:
    """The id of the patient who was told with this link, if there ever was one; whether it is good is for `take_dispute` to
    say."""
    return (await session.exec(select(Notice.patient_id).where(Notice.dispute_hash == dispute_hash))).first()


async def take_dispute(session: AsyncSession, dispute_hash: str, now: datetime, since: datetime) -> Notice | None:
    """Use up the link of a notice of after `since` (UTC); None when it is unknown, used or too old."""
    statement = (
        update(Notice)
        .where(
            col(Notice.dispute_hash) == dispute_hash,
            col(Notice.disputed_at).is_(None),
            col(Notice.created_at) > since,
        )
        .values(disputed_at=now)
        .returning(Notice)
    )
    row = (await session.exec(statement)).first()
    return None if row is None else row[0]
