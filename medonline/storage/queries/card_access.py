"""Questions about requests to see somebody's cards: who asks, who answers, what is granted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_
from sqlmodel import Session, col, select, update

from medonline.domain.card_access import AccessState, Basis
from medonline.storage.tables.patient_cards import CardAccess, PatientCard
from medonline.storage.tables.patients import Patient

_UNANSWERED = (AccessState.WAITING, AccessState.REFUSED)


def holders_of(session: Session, indexes: Collection[str], born: date, not_of: str) -> list[str]:
    """Ids of the accounts whose own card has this policy (its index under each key) and this birth date."""
    where = (
        col(PatientCard.policy_index).in_(indexes),
        PatientCard.basis == Basis.OWN,
        PatientCard.birth_date == born,
        PatientCard.patient_id != not_of,
    )
    return list(session.exec(select(PatientCard.patient_id).where(*where).distinct()).all())


def live_of(
    session: Session, patient_id: str, indexes: Collection[str], born: date, now: datetime
) -> CardAccess | None:
    """This account's request for this policy and birth date that is granted, or that was asked less than its life ago, withdrawn
    ones too."""
    alive = or_(
        col(CardAccess.state) == AccessState.GRANTED,
        and_(col(CardAccess.state).in_(_UNANSWERED), col(CardAccess.expires_at) > now),
    )
    where = (
        CardAccess.patient_id == patient_id,
        col(CardAccess.policy_index).in_(indexes),
        CardAccess.birth_date == born,
    )
    return session.exec(select(CardAccess).where(*where, alive)).first()


def waiting_of(session: Session, patient_id: str, now: datetime) -> Sequence[CardAccess]:
    """What this account has asked for and waits for, refused ones too, the oldest first."""
    statement = select(CardAccess).where(*_waits_for(patient_id, now)).order_by(col(CardAccess.asked_at))
    return session.exec(statement).all()


def taken_of(session: Session, patient_id: str, now: datetime) -> int:
    """How many places of this account are taken: cards on its list, and requests that wait."""
    shown = select(func.count()).where(PatientCard.patient_id == patient_id, col(PatientCard.unlinked_at).is_(None))
    waiting = select(func.count()).where(*_waits_for(patient_id, now))
    return session.exec(shown).one() + session.exec(waiting).one()


def asked_of(
    session: Session, patient_id: str, indexes: Collection[str], now: datetime
) -> Sequence[tuple[CardAccess, Patient]]:
    """Requests for these policies that this account may answer, with who asks, the oldest first."""
    statement = (
        select(CardAccess, Patient)
        .join(Patient, col(Patient.id) == col(CardAccess.patient_id))
        .where(*_may_be_answered(patient_id, indexes, now))
        .order_by(col(CardAccess.asked_at))
    )
    return session.exec(statement).all()


def granted_by(session: Session, patient_id: str) -> Sequence[tuple[CardAccess, Patient]]:
    """Whom this account lets see its cards, the first one first."""
    statement = (
        select(CardAccess, Patient)
        .join(Patient, col(Patient.id) == col(CardAccess.patient_id))
        .where(CardAccess.holder_id == patient_id, CardAccess.state == AccessState.GRANTED)
        .order_by(col(CardAccess.answered_at))
    )
    return session.exec(statement).all()


def answer(
    session: Session, access_id: str, patient_id: str, indexes: Collection[str], state: AccessState, now: datetime
) -> CardAccess | None:
    """Grant or refuse a request for one of these policies; None when it is not this account's to answer (any more)."""
    statement = (
        update(CardAccess)
        .where(col(CardAccess.id) == access_id, *_may_be_answered(patient_id, indexes, now))
        .values(state=state, holder_id=patient_id, answered_at=now)
        .returning(CardAccess)
    )
    row = session.exec(statement).first()
    return None if row is None else row[0]


def withdraw(session: Session, access_id: str, patient_id: str, now: datetime) -> bool:
    """Take back a request of this account; whether it waited."""
    statement = (
        update(CardAccess)
        .where(col(CardAccess.id) == access_id, *_waits_for(patient_id, now))
        .values(ended_at=now)
        .returning(col(CardAccess.id))
    )
    return session.exec(statement).first() is not None


def end_granted(session: Session, now: datetime, *where: ColumnElement[bool]) -> list[CardAccess]:
    """End what was granted and is so described; the cards that were seen by it are forgotten."""
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
    """«Убрать доступ»; None when this account grants none of that id."""
    where = (col(CardAccess.id) == access_id, col(CardAccess.holder_id) == holder_id)
    return next(iter(end_granted(session, now, *where)), None)


def end_unused(session: Session, patient_id: str, now: datetime) -> list[CardAccess]:
    """End what was granted to this account and shows no card there any more."""
    seen = select(PatientCard.access_id).where(
        PatientCard.patient_id == patient_id,
        col(PatientCard.unlinked_at).is_(None),
        col(PatientCard.access_id).is_not(None),
    )
    return end_granted(session, now, col(CardAccess.patient_id) == patient_id, col(CardAccess.id).not_in(seen))


def _waits_for(patient_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(CardAccess.patient_id) == patient_id,
        col(CardAccess.state).in_(_UNANSWERED),
        col(CardAccess.ended_at).is_(None),
        col(CardAccess.expires_at) > now,
    )


def _may_be_answered(patient_id: str, indexes: Collection[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    own_birth_date = select(col(PatientCard.birth_date)).where(
        PatientCard.patient_id == patient_id,
        PatientCard.basis == Basis.OWN,
        col(PatientCard.policy_index).in_(indexes),
    )
    return (
        col(CardAccess.policy_index).in_(indexes),
        col(CardAccess.birth_date).in_(own_birth_date),
        col(CardAccess.patient_id) != patient_id,
        col(CardAccess.state) == AccessState.WAITING,
        col(CardAccess.ended_at).is_(None),
        col(CardAccess.expires_at) > now,
    )
