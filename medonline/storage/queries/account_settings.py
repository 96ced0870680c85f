"""Questions about changes of the account settings."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select, update

from medonline.storage.queries.patients import NEXT_PASSWORD
from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.patients import Patient


def open_of(session: Session, session_key: str, since: datetime) -> AccountChange | None:
    """The change of this session that waits for a code."""
    statement = (
        select(AccountChange)
        .where(
            AccountChange.session_key == session_key,
            col(AccountChange.finished_at).is_(None),
            col(AccountChange.created_at) > since,
        )
        .order_by(col(AccountChange.created_at).desc())
        .limit(1)
    )
    return session.exec(statement).first()


def is_open_held(session: Session, change_id: str) -> bool:
    """Whether this change still waits; it is held until the session commits."""
    statement = (
        select(AccountChange.id)
        .where(AccountChange.id == change_id, col(AccountChange.finished_at).is_(None))
        .with_for_update()
    )
    return session.exec(statement).first() is not None


def finish(session: Session, patient_id: str, now: datetime) -> None:
    """No change of this patient waits any more, and what was sealed in it is gone."""
    session.exec(
        update(AccountChange)
        .where(col(AccountChange.patient_id) == patient_id, col(AccountChange.finished_at).is_(None))
        .values(finished_at=now, sealed="")
    )


def put(session: Session, patient_id: str, values: dict[str, object]) -> None:
    """Store what was asked for, all at once; a password has its next version then."""
    values = {**values, **NEXT_PASSWORD} if "password_hash" in values else values
    session.exec(update(Patient).where(col(Patient.id) == patient_id).values(**values))
