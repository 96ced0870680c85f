"""Questions about the cards of an account, and how often it may ask for more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, delete, func, literal, or_, text
from sqlmodel import Session, col, select, update

from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.patient_cards import CardAttempt, CardRefresh, PatientCard
from medonline.storage.tables.patients import Patient

_BEGIN_REFRESH = text(
    "INSERT INTO card_refresh (patient_id, hour_began_at, asked_in_hour) VALUES (:patient_id, :now, 0) ON CONFLICT DO NOTHING"
).bindparams(bindparam("now", type_=UtcDateTime()))


def of_patient(session: Session, patient_id: str) -> list[PatientCard]:
    """Every card the account ever had, unlinked ones too; working ones first, then by holder."""
    statement = (
        select(PatientCard)
        .where(PatientCard.patient_id == patient_id)
        .order_by(col(PatientCard.active).desc(), col(PatientCard.holder), col(PatientCard.number))
    )
    return list(session.exec(statement).all())


def one_of(session: Session, patient_id: str, card_id: str) -> PatientCard | None:
    """This card of this account, unless it is off the list."""
    where = (
        PatientCard.id == card_id,
        PatientCard.patient_id == patient_id,
        col(PatientCard.unlinked_at).is_(None),
    )
    return session.exec(select(PatientCard).where(*where)).first()


def unlink(session: Session, patient_id: str, card_id: str, now: datetime) -> bool:
    """Take a card of this account off the list; whether it was there."""
    statement = (
        update(PatientCard)
        .where(
            col(PatientCard.id) == card_id,
            col(PatientCard.patient_id) == patient_id,
            col(PatientCard.unlinked_at).is_(None),
        )
        .values(unlinked_at=now)
    )
    return bool(session.exec(statement).rowcount)


def put_fetched(session: Session, patient_id: str, now: datetime) -> None:
    """The registry has answered for this account."""
    session.exec(update(Patient).where(col(Patient.id) == patient_id).values(cards_fetched_at=now))


def hold_policy(session: Session, policy_index: str) -> None:
    """Of transactions that count attempts at one policy, one goes on at a time, until it ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.blake2b(policy_index.encode(), digest_size=8).digest(), signed=True)
        session.exec(select(func.pg_advisory_xact_lock(number)))


def attempts_of_account(session: Session, patient_id: str, since: datetime, limit: int) -> list[datetime]:
    """When this account tried policies since then, the newest first."""
    where = (CardAttempt.patient_id == patient_id, col(CardAttempt.at) > since)
    statement = select(CardAttempt.at).where(*where).order_by(col(CardAttempt.at).desc()).limit(limit)
    return list(session.exec(statement).all())


def attempts_at_policy(session: Session, indexes: Sequence[str], since: datetime, limit: int) -> list[datetime]:
    """When any account tried this policy (its index under each key) since then, the newest first."""
    where = (col(CardAttempt.policy_index).in_(indexes), col(CardAttempt.at) > since)
    statement = select(CardAttempt.at).where(*where).order_by(col(CardAttempt.at).desc()).limit(limit)
    return list(session.exec(statement).all())


def take_back_attempt(session: Session, attempt_id: str) -> None:
    """The registry gave no answer to this attempt."""
    session.exec(delete(CardAttempt).where(col(CardAttempt.id) == attempt_id))


def begin_refresh(session: Session, patient_id: str, now: datetime, per_hour: int, pause: timedelta | None) -> bool:
    """Count one question to the registry, if it is within the limits; whether it is.

    `pause`: the patient pressed «Обновить», which may be answered once in so long. One statement decides: of presses at the
    same moment one goes through.
    """
    connection = session.connection()
    connection.execute(_BEGIN_REFRESH.bindparams(patient_id=patient_id, now=now))
    hour_is_over = col(CardRefresh.hour_began_at) <= now - timedelta(hours=1)
    statement = (
        update(CardRefresh)
        .where(
            col(CardRefresh.patient_id) == patient_id,
            or_(hour_is_over, col(CardRefresh.asked_in_hour) < per_hour),
        )
        .values(
            asked_in_hour=case((hour_is_over, 1), else_=col(CardRefresh.asked_in_hour) + 1),
            hour_began_at=case((hour_is_over, literal(now, UtcDateTime())), else_=col(CardRefresh.hour_began_at)),
        )
    )
    if pause is not None:
        rested = or_(col(CardRefresh.pressed_at).is_(None), col(CardRefresh.pressed_at) <= now - pause)
        statement = statement.where(rested).values(pressed_at=now)
    return bool(session.exec(statement).rowcount)


def refresh_of(session: Session, patient_id: str) -> CardRefresh | None:
    """How often the registry was asked for this account."""
    return session.get(CardRefresh, patient_id)


def forget_press(session: Session, patient_id: str, pressed_at: datetime) -> None:
    """«Обновить» was not answered: it may be pressed again at once, within the limit of the hour."""
    where = (col(CardRefresh.patient_id) == patient_id, col(CardRefresh.pressed_at) == pressed_at)
    session.exec(update(CardRefresh).where(*where).values(pressed_at=None))
