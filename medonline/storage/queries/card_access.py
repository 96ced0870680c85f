"""Questions about requests to see somebody's cards: who asks, who answers, what is granted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, delete, func, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select, update

from medonline.domain.card_access import AccessState, Basis
from medonline.storage.tables.patient_cards import CardAccess, PatientCard
from medonline.storage.tables.patients import Patient

_UNANSWERED = (AccessState.WAITING, AccessState.REFUSED)

_Id = str | BindParameter[str]
_Time = datetime | BindParameter[datetime]
_Indexes = Collection[str] | BindParameter[Collection[str]]

_ME: BindParameter[str] = bindparam("me")
_NOW: BindParameter[datetime] = bindparam("now")
_INDEXES: BindParameter[Collection[str]] = bindparam("indexes", expanding=True)


def _waits_for(me: _Id, now: _Time) -> tuple[ColumnElement[bool], ...]:
    return (
        col(CardAccess.patient_id) == me,
        col(CardAccess.state).in_(_UNANSWERED),
        col(CardAccess.ended_at).is_(None),
        col(CardAccess.expires_at) > now,
    )


def _may_be_answered(me: _Id, indexes: _Indexes, now: _Time) -> tuple[ColumnElement[bool], ...]:
    own_birth_date = select(col(PatientCard.birth_date)).where(
        col(PatientCard.patient_id) == me,
        col(PatientCard.basis) == Basis.OWN,
        col(PatientCard.policy_index).in_(indexes),
    )
    return (
        col(CardAccess.policy_index).in_(indexes),
        col(CardAccess.birth_date).in_(own_birth_date),
        col(CardAccess.patient_id) != me,
        col(CardAccess.state) == AccessState.WAITING,
        col(CardAccess.ended_at).is_(None),
        col(CardAccess.expires_at) > now,
    )


# Questions are built once: building one and its cache key costs as much as asking it. Writers are built at each call with the values in
# them: the session uses those values to find the loaded rows that change, and it cannot do that with bound parameters.
_HOLDERS_OF = (
    select(PatientCard.patient_id)
    .where(
        col(PatientCard.policy_index).in_(_INDEXES),
        col(PatientCard.basis) == Basis.OWN,
        col(PatientCard.birth_date) == bindparam("born"),
        col(PatientCard.patient_id) != _ME,
    )
    .distinct()
)
_LIVE_OF = select(CardAccess).where(
    col(CardAccess.patient_id) == _ME,
    col(CardAccess.policy_index).in_(_INDEXES),
    col(CardAccess.birth_date) == bindparam("born"),
    or_(
        col(CardAccess.state) == AccessState.GRANTED,
        and_(col(CardAccess.state).in_(_UNANSWERED), col(CardAccess.expires_at) > _NOW),
    ),
)
_SHOWN = sa_select(func.count()).where(col(PatientCard.patient_id) == _ME, col(PatientCard.unlinked_at).is_(None))
_WAITING = sa_select(func.count()).select_from(CardAccess).where(*_waits_for(_ME, _NOW))
_TAKEN_OF = sa_select(_SHOWN.scalar_subquery() + _WAITING.scalar_subquery())
_WITH_ASKER = select(CardAccess, Patient).join(Patient, col(Patient.id) == col(CardAccess.patient_id))
_ASKED_OF = _WITH_ASKER.where(*_may_be_answered(_ME, _INDEXES, _NOW)).order_by(col(CardAccess.asked_at))
_GRANTED_BY = (col(CardAccess.holder_id) == _ME, col(CardAccess.state) == AccessState.GRANTED)
_SHOWN_TO = (
    select(CardAccess, Patient)
    .outerjoin(Patient, and_(col(Patient.id) == col(CardAccess.patient_id), col(CardAccess.holder_id) == _ME))
    .where(or_(and_(*_waits_for(_ME, _NOW)), and_(*_GRANTED_BY)))
)


def holders_of(session: Session, indexes: Collection[str], born: date, not_of: str) -> list[str]:
    """Ids of the accounts whose own card has this policy (one index per key) and this birth date."""
    return list(session.exec(_HOLDERS_OF, params={"indexes": list(indexes), "born": born, "me": not_of}).all())


def live_of(
    session: Session, patient_id: str, indexes: Collection[str], born: date, now: datetime
) -> CardAccess | None:
    """This account's request for this policy and birth date that is granted, or that was made less than its life ago. Withdrawn requests
    count too."""
    facts = {"me": patient_id, "indexes": list(indexes), "born": born, "now": now}
    return session.exec(_LIVE_OF, params=facts).first()


def shown_to(
    session: Session, patient_id: str, now: datetime
) -> tuple[list[CardAccess], list[tuple[CardAccess, Patient]]]:
    """Two lists. First, the requests of this account that wait, and refused ones too, oldest first. Second, the people who may see its
    cards, the earliest first."""
    found = session.exec(_SHOWN_TO, params={"me": patient_id, "now": now}).all()
    granted = [(row, asker) for row, asker in found if asker is not None]
    granted.sort(key=lambda one: one[0].answered_at or one[0].asked_at)
    return sorted((row for row, asker in found if asker is None), key=lambda row: row.asked_at), granted


def taken_of(session: Session, patient_id: str, now: datetime) -> int:
    """How many places of this account are taken by cards on its list and by requests that wait."""
    session.flush()  # the caller may have added some just now
    return int(session.connection().execute(_TAKEN_OF, {"me": patient_id, "now": now}).scalar_one())


def asked_of(
    session: Session, patient_id: str, indexes: Collection[str], now: datetime
) -> Sequence[tuple[CardAccess, Patient]]:
    """Requests for these policies that this account may answer, each with the patient who asks, oldest first."""
    return session.exec(_ASKED_OF, params={"me": patient_id, "indexes": list(indexes), "now": now}).all()


def answer(
    session: Session, access_id: str, patient_id: str, indexes: Collection[str], state: AccessState, now: datetime
) -> CardAccess | None:
    """Grant or refuse a request for one of these policies. None when this account may not (or no longer) answer it."""
    statement = (
        update(CardAccess)
        .where(col(CardAccess.id) == access_id, *_may_be_answered(patient_id, indexes, now))
        .values(state=state, holder_id=patient_id, answered_at=now)
        .returning(CardAccess)
    )
    row = session.exec(statement).first()
    return None if row is None else row[0]


def withdraw(session: Session, access_id: str, patient_id: str, now: datetime) -> bool:
    """Withdraw a request of this account. Returns whether it was waiting."""
    statement = (
        update(CardAccess)
        .where(col(CardAccess.id) == access_id, *_waits_for(patient_id, now))
        .values(ended_at=now)
        .returning(col(CardAccess.id))
    )
    return session.exec(statement).first() is not None


def end_granted(session: Session, now: datetime, *where: ColumnElement[bool]) -> list[CardAccess]:
    """End the granted requests that match `where`, and delete the cards that were visible through them."""
    statement = (
        update(CardAccess)
        .where(col(CardAccess.state) == AccessState.GRANTED, *where)
        .values(state=AccessState.REMOVED, ended_at=now)
        .returning(CardAccess)
    )
    ended = [row[0] for row in session.exec(statement).all()]
    session.exec(delete(PatientCard).where(col(PatientCard.access_id).in_([row.id for row in ended])))
    return ended


def end_by_holder(session: Session, access_id: str, holder_id: str, now: datetime) -> CardAccess | None:
    """«Убрать доступ». None when this account has granted no request with that id."""
    where = (col(CardAccess.id) == access_id, col(CardAccess.holder_id) == holder_id)
    return next(iter(end_granted(session, now, *where)), None)


def end_unused(session: Session, patient_id: str, now: datetime) -> list[CardAccess]:
    """End requests granted to this account that show no card there any more."""
    seen = select(PatientCard.access_id).where(
        PatientCard.patient_id == patient_id,
        col(PatientCard.unlinked_at).is_(None),
        col(PatientCard.access_id).is_not(None),
    )
    return end_granted(session, now, col(CardAccess.patient_id) == patient_id, col(CardAccess.id).not_in(seen))
