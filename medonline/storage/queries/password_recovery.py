"""Questions about recoveries; every move is one conditional UPDATE, so that of two equal moves one wins."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal, or_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.password_recovery import PasswordRecovery


def newest_of(session: Session, visitor_key: str) -> PasswordRecovery | None:
    """The last recovery this browser began and has not left."""
    statement = (
        select(PasswordRecovery)
        .where(PasswordRecovery.visitor_key == visitor_key, col(PasswordRecovery.left_at).is_(None))
        .order_by(col(PasswordRecovery.created_at).desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).first()


def newest_left(session: Session, visitor_key: str, phone: str, step: str) -> PasswordRecovery | None:
    """The last recovery that this browser left at a step, for this phone (E.164)."""
    statement = (
        select(PasswordRecovery)
        .where(
            PasswordRecovery.visitor_key == visitor_key,
            PasswordRecovery.phone == phone,
            PasswordRecovery.step == step,
            col(PasswordRecovery.left_at).is_not(None),
        )
        .order_by(col(PasswordRecovery.created_at).desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).first()


def move(session: Session, recovery_id: str, sources: tuple[str, ...], target: str, **facts: Any) -> bool:
    """Put the recovery on `target` if it is on one of `sources`; whether it was. Then the row in the session is as it is now."""
    statement = (
        update(PasswordRecovery)
        .where(col(PasswordRecovery.id) == recovery_id, col(PasswordRecovery.step).in_(sources))
        .values(step=target, **facts)
        .returning(PasswordRecovery)
        # Not guessed from what the session read: another transaction may have moved it meanwhile.
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.exec(statement).first() is not None


def move_all_of(session: Session, patient_id: str, sources: tuple[str, ...], target: str) -> None:
    """Put every recovery of a patient that stands on one of `sources` on `target`."""
    session.exec(
        update(PasswordRecovery)
        .where(col(PasswordRecovery.patient_id) == patient_id, col(PasswordRecovery.step).in_(sources))
        .values(step=target)
    )


def put_left(session: Session, recovery_id: str, now: datetime | None) -> None:
    """The browser does not want to see this recovery any more; None: it does again."""
    session.exec(update(PasswordRecovery).where(col(PasswordRecovery.id) == recovery_id).values(left_at=now))


def put_unlinked(session: Session, recovery_id: str, count: int) -> None:
    """Note how many identities the new password has taken off, for the screen that says so."""
    session.exec(
        update(PasswordRecovery).where(col(PasswordRecovery.id) == recovery_id).values(identities_unlinked=count)
    )


def rename_visitor(session: Session, visitor_key: str, next_key: str, but: str) -> None:
    """The browser has another name from now on; what is on the step `but` stays behind."""
    session.exec(
        update(PasswordRecovery)
        .where(col(PasswordRecovery.visitor_key) == visitor_key, col(PasswordRecovery.step) != but)
        .values(visitor_key=next_key)
    )


def has_open(session: Session, visitor_key: str, sources: tuple[str, ...]) -> bool:
    """Whether `leave_all_of_visitor` would leave anything."""
    statement = select(PasswordRecovery.id).where(*_open_of(visitor_key, sources)).limit(1)
    return session.exec(statement).first() is not None


def leave_all_of_visitor(
    session: Session, visitor_key: str, sources: tuple[str, ...], target: str, now: datetime
) -> None:
    """This browser shows none of its recoveries any more, and those on one of `sources` are on `target`."""
    step = col(PasswordRecovery.step)
    session.exec(
        update(PasswordRecovery)
        .where(*_open_of(visitor_key, sources))
        .values(
            step=case((step.in_(sources), target), else_=step),
            left_at=func.coalesce(col(PasswordRecovery.left_at), literal(now, UtcDateTime())),
        )
        .execution_options(synchronize_session=False)
    )


def _open_of(visitor_key: str, sources: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    shown = col(PasswordRecovery.left_at).is_(None)
    return col(PasswordRecovery.visitor_key) == visitor_key, or_(shown, col(PasswordRecovery.step).in_(sources))


def add_birth_date_miss(session: Session, recovery_id: str, step: str, tries: int) -> int | None:
    """Count a wrong birth date in one atomic statement; how many there are, None when no more may be tried."""
    statement = (
        update(PasswordRecovery)
        .where(
            col(PasswordRecovery.id) == recovery_id,
            col(PasswordRecovery.step) == step,
            col(PasswordRecovery.birth_date_misses) < tries,
        )
        .values(birth_date_misses=col(PasswordRecovery.birth_date_misses) + 1)
        .returning(col(PasswordRecovery.birth_date_misses))
    )
    row = session.exec(statement).first()
    return None if row is None else int(row[0])
