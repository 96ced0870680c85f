"""Questions about the cards of an account, and how often it may ask for more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, text
from sqlmodel import Session, col, select, update

from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.patient_cards import CardAttempt, CardRefresh, PatientCard
from medonline.storage.tables.patients import Patient

# Built once: building a statement and its cache key costs as much as running it.
_OF_PATIENT = (
    select(PatientCard)
    .where(col(PatientCard.patient_id) == bindparam("patient_id"))
    .order_by(col(PatientCard.active).desc(), col(PatientCard.holder), col(PatientCard.number))
)
# No session reads cards after these statements write them, so no object needs to be synchronised.
_UNLINK = (
    update(PatientCard)
    .where(
        col(PatientCard.id) == bindparam("card"),
        col(PatientCard.patient_id) == bindparam("owner"),
        col(PatientCard.unlinked_at).is_(None),
    )
    .values(unlinked_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)
_RECORD_FETCHED = (
    update(Patient)
    .where(col(Patient.id) == bindparam("patient"))
    .values(cards_fetched_at=bindparam("now"), cards_incomplete=bindparam("incomplete"))
    .execution_options(synchronize_session=False)
)
_ATTEMPTS_OF_ACCOUNT = (
    select(CardAttempt.at)
    .where(col(CardAttempt.patient_id) == bindparam("patient_id"), col(CardAttempt.at) > bindparam("since"))
    .order_by(col(CardAttempt.at).desc())
    .limit(bindparam("most"))
)
_ATTEMPTS_AT_POLICY = (
    select(CardAttempt.at)
    .where(
        col(CardAttempt.policy_index).in_(bindparam("indexes", expanding=True)),
        col(CardAttempt.at) > bindparam("since"),
    )
    .order_by(col(CardAttempt.at).desc())
    .limit(bindparam("most"))
)
_REFRESH_OF = select(CardRefresh).where(col(CardRefresh.patient_id) == bindparam("patient_id"))
# Of simultaneous presses one goes through: the existing row decides, under its lock.
_ASK = """
    INSERT INTO card_refresh AS had (patient_id, pressed_at, hour_began_at, asked_in_hour)
    VALUES (:patient_id, :pressed_at, :now, 1)
    ON CONFLICT (patient_id) DO UPDATE SET
        pressed_at = coalesce(excluded.pressed_at, had.pressed_at),
        asked_in_hour = CASE WHEN had.hour_began_at <= :hour_ago THEN 1 ELSE had.asked_in_hour + 1 END,
        hour_began_at = CASE WHEN had.hour_began_at <= :hour_ago THEN excluded.hour_began_at ELSE had.hour_began_at END
    WHERE (had.hour_began_at <= :hour_ago OR had.asked_in_hour < :per_hour)"""
_RESTED = " AND (had.pressed_at IS NULL OR had.pressed_at <= :rested_since)"
_TIMES = [bindparam(name, type_=UtcDateTime()) for name in ("pressed_at", "now", "hour_ago")]
_BEGIN_REFRESH = text(f"{_ASK} RETURNING patient_id").bindparams(*_TIMES)
_BEGIN_PRESSED = text(f"{_ASK}{_RESTED} RETURNING patient_id").bindparams(
    *_TIMES, bindparam("rested_since", type_=UtcDateTime())
)


def of_patient(session: Session, patient_id: str) -> list[PatientCard]:
    """Every card that the account ever had, unlinked ones too. Working ones come first, then they are sorted by holder."""
    return list(session.exec(_OF_PATIENT, params={"patient_id": patient_id}).all())


def one_of(session: Session, patient_id: str, card_id: str) -> PatientCard | None:
    """This card of this account, unless it was taken off the list."""
    where = (
        PatientCard.id == card_id,
        PatientCard.patient_id == patient_id,
        col(PatientCard.unlinked_at).is_(None),
    )
    return session.exec(select(PatientCard).where(*where)).first()


def unlink(session: Session, patient_id: str, card_id: str, now: datetime) -> bool:
    """Take a card of this account off the list. Returns whether it was there."""
    return bool(session.exec(_UNLINK, params={"card": card_id, "owner": patient_id, "now": now}).rowcount)


def record_fetched(session: Session, patient_id: str, now: datetime, *, incomplete: bool) -> bool:
    """Record that the registry has answered for this account. Returns whether the account still exists. It stays locked until the session
    commits.

    `incomplete`: the answer had records that could not be read.
    """
    values = {"patient": patient_id, "now": now, "incomplete": incomplete}
    return bool(session.exec(_RECORD_FETCHED, params=values).rowcount)


def hold_policy(session: Session, policy_index: str) -> None:
    """Let one transaction at a time count attempts at one policy, until it ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.blake2b(policy_index.encode(), digest_size=8).digest(), signed=True)
        session.exec(select(func.pg_advisory_xact_lock(number)))


def attempts_of_account(session: Session, patient_id: str, since: datetime, limit: int) -> list[datetime]:
    """When this account tried policies since `since` (UTC), newest first."""
    facts = {"patient_id": patient_id, "since": since, "most": limit}
    return list(session.exec(_ATTEMPTS_OF_ACCOUNT, params=facts).all())


def attempts_at_policy(session: Session, indexes: Sequence[str], since: datetime, limit: int) -> list[datetime]:
    """When any account tried this policy (one index per key) since `since` (UTC), newest first."""
    facts = {"indexes": indexes, "since": since, "most": limit}
    return list(session.exec(_ATTEMPTS_AT_POLICY, params=facts).all())


def take_back_attempt(session: Session, attempt_id: str) -> None:
    """Delete this attempt, because the registry gave no answer to it."""
    session.exec(delete(CardAttempt).where(col(CardAttempt.id) == attempt_id))


def begin_refresh(session: Session, patient_id: str, now: datetime, per_hour: int, pause: timedelta | None) -> bool:
    """Count one question to the registry, if it is within the limits. Returns whether it is.

    `pause`: the patient pressed «Обновить», which is answered once in this time. One statement decides: of simultaneous presses one goes
    through.
    """
    facts: dict[str, object] = {
        "patient_id": patient_id,
        "pressed_at": None,
        "now": now,
        "hour_ago": now - timedelta(hours=1),
        "per_hour": per_hour,
    }
    statement = _BEGIN_REFRESH
    if pause is not None:
        statement, facts = _BEGIN_PRESSED, {**facts, "pressed_at": now, "rested_since": now - pause}
    return session.connection().execute(statement, facts).first() is not None


def refresh_of(session: Session, patient_id: str) -> CardRefresh | None:
    """How often the registry was asked for this account."""
    return session.exec(_REFRESH_OF, params={"patient_id": patient_id}).first()


def forget_press(session: Session, patient_id: str, pressed_at: datetime) -> None:
    """Allow «Обновить» again at once, within the hourly limit, because this press got no answer."""
    where = (col(CardRefresh.patient_id) == patient_id, col(CardRefresh.pressed_at) == pressed_at)
    session.exec(update(CardRefresh).where(*where).values(pressed_at=None))
