"""Questions about notices: what is to be told, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select, update

from medonline.storage.queries.security_journal import taken_back
from medonline.storage.tables.notices import Notice


def due(session: Session, now: datetime, skip: tuple[str, ...], limit: int) -> Sequence[Notice]:
    """Notices that are to be looked at now (UTC), longest waiting first, without those to skip."""
    statement = (
        select(Notice)
        .where(col(Notice.due_at) <= now, col(Notice.id).not_in(skip))
        .order_by(col(Notice.due_at))
        .limit(limit)
    )
    return session.exec(statement).all()


def take(session: Session, notice_id: str, now: datetime, attempts: int, problem: str, lease_until: datetime) -> bool:
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
    return session.exec(statement).first() is not None


def put_paid(session: Session, notice_id: str, now: datetime, kopecks: int) -> None:
    """What the attempt in hand costs was counted."""
    session.exec(update(Notice).where(col(Notice.id) == notice_id).values(paid_at=now, kopecks=kopecks))


def postpone(session: Session, notice_id: str, attempts: int, due_at: datetime) -> None:
    """The attempt in hand is not made: there is no money for it before `due_at` (UTC)."""
    session.exec(update(Notice).where(col(Notice.id) == notice_id).values(attempts=attempts, due_at=due_at, problem=""))


def put_sent(session: Session, notice_id: str, provider_ref: str, now: datetime) -> None:
    """The provider accepted it."""
    session.exec(
        update(Notice)
        .where(col(Notice.id) == notice_id)
        .values(sent_at=now, due_at=None, provider_ref=provider_ref, problem="")
    )


def put_failed(session: Session, notice_id: str, problem: str, due_at: datetime | None) -> bool:
    """The provider did not accept it; when to try again (UTC) and pay for that, None for never. False when it was sent."""
    failed = session.exec(
        update(Notice)
        .where(col(Notice.id) == notice_id, col(Notice.sent_at).is_(None))
        .values(problem=problem, due_at=due_at, paid_at=None)
    )
    return bool(failed.rowcount)


def end_links(session: Session, patient_id: str, now: datetime) -> None:
    """All links «это не я» to a patient, whom the caller holds, are used up."""
    _end_links(session, patient_id, now)


def end_links_before(session: Session, sent: Notice, now: datetime) -> None:
    """The links of notices to the same phone that were written before the one sent are used up; the caller holds the patient."""
    older = (col(Notice.phone) == sent.phone, col(Notice.created_at) < sent.created_at)
    _end_links(session, sent.patient_id, now, *older)


def end_links_with(session: Session, disputed: Notice, now: datetime) -> None:
    """The links that end with this one are used up; the caller holds the patient.

    Those of earlier notices to another phone stay: it was the account's before the disputed one was.
    """
    same_or_later = or_(col(Notice.phone) == disputed.phone, col(Notice.created_at) >= disputed.created_at)
    _end_links(session, disputed.patient_id, now, same_or_later)


def _end_links(session: Session, patient_id: str, now: datetime, *which: ColumnElement[bool]) -> None:
    live = (col(Notice.disputed_at).is_(None), col(Notice.dispute_hash).is_not(None))
    session.exec(update(Notice).where(col(Notice.patient_id) == patient_id, *live, *which).values(disputed_at=now))


def was_told_since(session: Session, patient_id: str, about: str, since: datetime) -> bool:
    """Whether there is a notice to this patient about this that is younger than `since` (UTC)."""
    where = (Notice.patient_id == patient_id, Notice.about == about, col(Notice.created_at) > since)
    return session.exec(select(Notice.id).where(*where)).first() is not None


def times_told(session: Session, patient_id: str, about: Collection[str], most: int) -> list[datetime]:
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
    return list(session.exec(statement).all())


def told_with_link(session: Session, dispute_hash: str) -> str | None:
    """The id of the patient who was told with this link, if there ever was one; whether it is good is for `take_dispute` to
    say."""
    return session.exec(select(Notice.patient_id).where(Notice.dispute_hash == dispute_hash)).first()


def take_dispute(session: Session, dispute_hash: str, now: datetime, since: datetime) -> Notice | None:
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
    row = session.exec(statement).first()
    return None if row is None else row[0]
