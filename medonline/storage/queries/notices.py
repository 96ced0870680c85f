"""Questions about notices: what patients must be told, and what happened to each notice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Boolean, Integer, and_, bindparam, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update

from medonline.storage.queries.security_journal import taken_back
from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.notices import Notice

_NOW = bindparam("now", type_=UtcDateTime())
_THIS = col(Notice.id) == bindparam("notice_id")

_EARLIER = aliased(Notice)
# The link of each notice ends the links of earlier notices to the same place. Notices sent at the same time would arrive in any order, and
# the last one on the screen might carry an ended link. A notice that waits for another attempt later delays no other one.
_EARLIER_IS_ON_ITS_WAY = (
    select(_EARLIER.id)
    .where(
        col(_EARLIER.patient_id) == col(Notice.patient_id),
        col(_EARLIER.phone) == col(Notice.phone),
        col(_EARLIER.email) == col(Notice.email),
        col(_EARLIER.created_at) < col(Notice.created_at),
        or_(
            col(_EARLIER.due_at) <= _NOW,
            and_(col(_EARLIER.due_at).is_not(None), col(_EARLIER.problem) == bindparam("in_hand")),
        ),
    )
    .exists()
)
_DUE = (
    select(Notice)
    .where(
        col(Notice.due_at) <= _NOW,
        (col(Notice.email) != "") == bindparam("by_mail", type_=Boolean()),
        col(Notice.id).not_in(bindparam("skip", expanding=True)),
        ~_EARLIER_IS_ON_ITS_WAY,
    )
    .order_by(col(Notice.due_at))
    .limit(bindparam("limit", type_=Integer()))
)
_TAKE = (
    update(Notice)
    .where(
        _THIS,
        col(Notice.attempts) == bindparam("attempts_read"),
        col(Notice.due_at) <= _NOW,
        col(Notice.sent_at).is_(None),
    )
    .values(
        attempts=col(Notice.attempts) + 1,
        due_at=bindparam("lease_until"),
        problem=bindparam("until_sent"),
    )
    .returning(col(Notice.id))
    .execution_options(**UNSYNCHRONISED)
)
_RECORD_PAID = (
    update(Notice).where(_THIS).values(paid_at=_NOW, kopecks=bindparam("price")).execution_options(**UNSYNCHRONISED)
)
_POSTPONE = (
    update(Notice)
    .where(_THIS)
    .values(attempts=bindparam("attempts_made"), due_at=bindparam("next_look"), problem="")
    .execution_options(**UNSYNCHRONISED)
)
_RECORD_SENT = (
    update(Notice)
    .where(_THIS)
    .values(sent_at=_NOW, due_at=None, provider_ref=bindparam("reference"), problem="")
    .execution_options(**UNSYNCHRONISED)
)
_RECORD_FAILED = (
    update(Notice)
    .where(_THIS, col(Notice.sent_at).is_(None))
    .values(problem=bindparam("why"), due_at=bindparam("next_look"), paid_at=None)
    .execution_options(**UNSYNCHRONISED)
)
_UNSENT = (
    select(Notice)
    .where(col(Notice.sent_at).is_(None))
    .order_by(col(Notice.created_at).desc())
    .limit(bindparam("limit", type_=Integer()))
)
_ANEW = (
    update(Notice)
    .where(col(Notice.sent_at).is_(None), col(Notice.created_at) > bindparam("since"))
    .values(due_at=_NOW, attempts=0, problem="", paid_at=None)
    .returning(col(Notice.patient_id))
    .execution_options(**UNSYNCHRONISED)
)
_TAKE_UP_AGAIN = _ANEW.where(_THIS, col(Notice.due_at).is_(None))
_TAKE_UP_ALL = _ANEW.where(
    col(Notice.problem).not_in(bindparam("but", expanding=True)),
    or_(col(Notice.due_at).is_(None), col(Notice.due_at) > _NOW),
)
_END_LINKS = (
    update(Notice)
    .where(
        col(Notice.patient_id) == bindparam("of_patient"),
        col(Notice.disputed_at).is_(None),
        col(Notice.dispute_hash).is_not(None),
    )
    .values(disputed_at=_NOW)
    .execution_options(**UNSYNCHRONISED)
)
_SAME_PHONE = col(Notice.phone) == bindparam("to_phone")
# A text to a phone that now belongs to a stranger must not end the link that the owner received by mail.
_SAME_PLACE = and_(_SAME_PHONE, col(Notice.email) == bindparam("to_email"))
_AT_NONE_OF_THESE = or_(
    and_(col(Notice.email) == "", col(Notice.phone).not_in(bindparam("to_phones", expanding=True))),
    and_(col(Notice.email) != "", col(Notice.email).not_in(bindparam("to_emails", expanding=True))),
)
_END_LINKS_ELSEWHERE = _END_LINKS.where(_AT_NONE_OF_THESE)
_END_LINKS_BEFORE = _END_LINKS.where(_SAME_PLACE, col(Notice.created_at) < bindparam("written_at"))
_END_LINKS_WITH = _END_LINKS.where(or_(_SAME_PHONE, col(Notice.created_at) >= bindparam("written_at")))
_TOLD_SINCE = select(Notice.id).where(
    col(Notice.patient_id) == bindparam("patient_id"),
    col(Notice.about) == bindparam("about"),
    col(Notice.created_at) > bindparam("since"),
)
_ALL_TOLD_SINCE = (
    select(Notice)
    .where(
        col(Notice.patient_id) == bindparam("patient_id"),
        col(Notice.about).in_(bindparam("kinds", expanding=True)),
        col(Notice.created_at) > bindparam("since"),
    )
    .order_by(col(Notice.created_at))
)
_TOLD_WITH_LINK = select(Notice.patient_id).where(col(Notice.dispute_hash) == bindparam("dispute_hash"))
_TAKE_DISPUTE = (
    update(Notice)
    .where(
        col(Notice.dispute_hash) == bindparam("of_link"),
        col(Notice.disputed_at).is_(None),
        col(Notice.created_at) > bindparam("since"),
    )
    .values(disputed_at=_NOW)
    .returning(Notice)
    .execution_options(**UNSYNCHRONISED, populate_existing=True)
)

_WAITING = select(func.count(), func.min(Notice.due_at)).where(col(Notice.due_at) <= _NOW)


def waiting(session: Session, now: datetime) -> tuple[int, datetime | None]:
    """How many notices are due, and since when the longest waiting one waits (UTC). None when none does."""
    count, oldest = session.exec(_WAITING, params={"now": now}).one()
    return count, oldest


def due(
    session: Session, now: datetime, skip: tuple[str, ...], limit: int, in_hand: str, *, by_mail: bool
) -> Sequence[Notice]:
    """Notices of one way that must be looked at now (UTC), longest waiting first. Without those in `skip` and those that wait for an
    earlier one to the same place. `in_hand`: the problem recorded for a notice that is being sent."""
    params = {"now": now, "skip": skip, "limit": limit, "by_mail": by_mail, "in_hand": in_hand}
    return session.exec(_DUE, params=params).all()


def take(session: Session, notice_id: str, now: datetime, attempts: int, problem: str, lease_until: datetime) -> bool:
    """Claim a due notice for one sender by counting an attempt. False when another was quicker."""
    params = {
        "notice_id": notice_id,
        "now": now,
        "attempts_read": attempts,
        "until_sent": problem,
        "lease_until": lease_until,
    }
    return session.exec(_TAKE, params=params).first() is not None


def record_paid(session: Session, notice_id: str, now: datetime, kopecks: int) -> None:
    """Record that the cost of the current attempt was counted."""
    session.exec(_RECORD_PAID, params={"notice_id": notice_id, "now": now, "price": kopecks})


def postpone(session: Session, notice_id: str, attempts: int, due_at: datetime) -> None:
    """Take back the attempt and try again at `due_at` (UTC), because there is no money for it before then."""
    session.exec(_POSTPONE, params={"notice_id": notice_id, "attempts_made": attempts, "next_look": due_at})


def record_sent(session: Session, notice_id: str, provider_ref: str, now: datetime) -> None:
    """Record that the provider accepted it."""
    session.exec(_RECORD_SENT, params={"notice_id": notice_id, "reference": provider_ref, "now": now})


def record_failed(session: Session, notice_id: str, problem: str, due_at: datetime | None) -> bool:
    """Record that the provider did not accept it, and when to try again and pay for that (UTC, None for never). False when it was sent
    already."""
    failed = session.exec(_RECORD_FAILED, params={"notice_id": notice_id, "why": problem, "next_look": due_at})
    return bool(failed.rowcount)


def unsent(session: Session, limit: int) -> Sequence[Notice]:
    """Notices that no provider has accepted, newest first."""
    return session.exec(_UNSENT, params={"limit": limit}).all()


def take_up_again(session: Session, notice_id: str, now: datetime, since: datetime) -> str | None:
    """Send a notice made after `since` (UTC) once more, if it was given up. Returns the id of its patient, None when there is no such
    notice."""
    row = session.exec(_TAKE_UP_AGAIN, params={"notice_id": notice_id, "now": now, "since": since}).first()
    return None if row is None else str(row[0])


def take_up_all(session: Session, now: datetime, since: datetime, but: Collection[str]) -> list[str]:
    """Send now all notices made after `since` (UTC) that were given up or wait for another attempt, except those with one of the
    problems in `but`. Returns the ids of their patients."""
    params = {"now": now, "since": since, "but": tuple(but)}
    return [str(row[0]) for row in session.exec(_TAKE_UP_ALL, params=params).all()]


def end_links_elsewhere(session: Session, patient_id: str, new: Sequence[Notice], now: datetime) -> None:
    """Use up all links «это не я» to a patient, except those to a phone or an address that one of these new notices goes to. The caller
    holds the patient."""
    places = {
        "to_phones": [row.phone for row in new if not row.email],
        "to_emails": [row.email for row in new if row.email],
    }
    session.exec(_END_LINKS_ELSEWHERE, params={"of_patient": patient_id, "now": now, **places})


def end_links_before(session: Session, sent: Notice, now: datetime) -> None:
    """Use up the links of earlier notices to the same phone, or the same address, as the notice just sent. The caller holds the patient."""
    session.exec(_END_LINKS_BEFORE, params=_beside(sent, now) | {"to_email": sent.email})


def end_links_with(session: Session, disputed: Notice, now: datetime) -> None:
    """Use up the links that end with the disputed one. The caller holds the patient.

    Links of earlier notices to another phone stay: that phone belonged to the account before the disputed one did.
    """
    session.exec(_END_LINKS_WITH, params=_beside(disputed, now))


def _beside(notice: Notice, now: datetime) -> dict[str, object]:
    return {"of_patient": notice.patient_id, "to_phone": notice.phone, "written_at": notice.created_at, "now": now}


def was_told_since(session: Session, patient_id: str, about: str, since: datetime) -> bool:
    """Whether a notice about this subject to this patient is younger than `since` (UTC)."""
    params = {"patient_id": patient_id, "about": about, "since": since}
    return session.exec(_TOLD_SINCE, params=params).first() is not None


def told_since(session: Session, patient_id: str, about: Collection[str], since: datetime) -> Sequence[Notice]:
    """The notices about these subjects to a patient that are younger than `since` (UTC), oldest first."""
    params = {"patient_id": patient_id, "kinds": tuple(about), "since": since}
    return session.exec(_ALL_TOLD_SINCE, params=params).all()


def times_told(session: Session, patient_id: str, about: Collection[str], most: int) -> list[datetime]:
    """When (UTC) the newest notices about these subjects to a patient were made. At most `most` of them, and only those since the owner
    last took the account back."""
    back = taken_back(patient_id).subquery()
    newer = select(back.c.seq).where(back.c.at >= col(Notice.created_at)).exists()
    statement = (
        select(Notice.created_at)
        .where(Notice.patient_id == patient_id, col(Notice.about).in_(about), ~col(Notice.is_copy), ~newer)
        .order_by(col(Notice.created_at).desc())
        .limit(most)
    )
    return list(session.exec(statement).all())


def told_with_link(session: Session, dispute_hash: str) -> str | None:
    """The id of the patient who got this link, if it ever existed. Only `take_dispute` decides whether it is valid."""
    return session.exec(_TOLD_WITH_LINK, params={"dispute_hash": dispute_hash}).first()


def take_dispute(session: Session, dispute_hash: str, now: datetime, since: datetime) -> Notice | None:
    """Use up the link of a notice made after `since` (UTC). None when it is unknown, used or too old."""
    row = session.exec(_TAKE_DISPUTE, params={"of_link": dispute_hash, "now": now, "since": since}).first()
    return None if row is None else row[0]
