"""Questions about changes of the account settings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, select, update

from medonline.domain.account_settings import SettingsChange
from medonline.storage.queries.patients import NEXT_PASSWORD
from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.patients import Patient

# Built once: building a statement and its cache key costs as much as running it.
_OPEN_OF = (
    select(AccountChange)
    .where(
        col(AccountChange.session_key) == bindparam("session_key"),
        col(AccountChange.finished_at).is_(None),
        col(AccountChange.created_at) > bindparam("since"),
    )
    .order_by(col(AccountChange.created_at).desc())
    .limit(1)
)
_IS_OPEN_HELD = (
    select(AccountChange.id)
    .where(col(AccountChange.id) == bindparam("change_id"), col(AccountChange.finished_at).is_(None))
    .with_for_update()
)
# No session has loaded a change when this runs, so no object needs to be synchronised.
_FINISH = (
    update(AccountChange)
    .where(col(AccountChange.patient_id) == bindparam("whose"), col(AccountChange.finished_at).is_(None))
    .values(finished_at=bindparam("now"), sealed="")
    .execution_options(synchronize_session=False)
)


def open_of(session: Session, session_key: str, since: datetime) -> AccountChange | None:
    """The change of this session that waits for a code."""
    return session.exec(_OPEN_OF, params={"session_key": session_key, "since": since}).first()


def is_open_held(session: Session, change_id: str) -> bool:
    """Whether this change still waits. The row stays locked until the session commits."""
    return session.exec(_IS_OPEN_HELD, params={"change_id": change_id}).first() is not None


def finish(session: Session, patient_id: str, now: datetime) -> None:
    """End all waiting changes of this patient and delete their sealed contents."""
    session.exec(_FINISH, params={"whose": patient_id, "now": now})


def apply(session: Session, patient_id: str, change: SettingsChange, now: datetime) -> None:
    """Store a change of the settings in one statement."""
    values: dict[str, object] = {**change.values()}
    if change.password_hash is not None:
        values["password_changed_at"] = now
    set_columns(session, patient_id, values)


def set_columns(session: Session, patient_id: str, values: dict[str, object]) -> None:
    """Store these values in one statement. A new password also increments the password version."""
    values = {**values, **NEXT_PASSWORD} if "password_hash" in values else values
    session.exec(update(Patient).where(col(Patient.id) == patient_id).values(**values))
