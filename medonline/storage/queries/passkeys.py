"""Questions about passkeys, their challenges, and whether one was offered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select, update

from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.passkeys import Passkey, PasskeyChallenge, PasskeyOffer
from medonline.storage.tables.patients import Patient


def take_challenge(session: Session, challenge: PasskeyChallenge, now: datetime) -> PasskeyChallenge | None:
    """Use up a challenge. None when there is no such challenge or it is late. Either way it is deleted, once its own browser asks."""
    row = session.get(PasskeyChallenge, challenge.challenge_hash)
    if row is None or _bound(row) != _bound(challenge):
        return None
    statement = delete(PasskeyChallenge).where(col(PasskeyChallenge.challenge_hash) == row.challenge_hash)
    session.expunge(row)
    # Of two simultaneous calls only one deletes it.
    gone = session.connection().execute(statement).rowcount
    return row if gone and row.expires_at > now else None


def _bound(row: PasskeyChallenge) -> tuple[str, str, str]:
    return row.visitor_key, row.session_key, row.purpose


def with_patient(session: Session, credential_id: str) -> tuple[Passkey, Patient] | None:
    """The passkey with this credential, and its patient."""
    statement = (
        select(Passkey, Patient)
        .join(Patient, col(Patient.id) == col(Passkey.patient_id))
        .where(col(Passkey.credential_id) == credential_id)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).first()


def of_patient(session: Session, patient_id: str) -> list[Passkey]:
    """The passkeys of a patient, the oldest first."""
    statement = (
        select(Passkey)
        .where(col(Passkey.patient_id) == patient_id)
        .order_by(col(Passkey.created_at), col(Passkey.id))
        .execution_options(populate_existing=True)
    )
    return list(session.exec(statement).all())


def credential_exists(session: Session, credential_id: str) -> bool:
    """Whether any account has this credential."""
    return session.exec(select(Passkey.id).where(col(Passkey.credential_id) == credential_id)).first() is not None


def record_use(session: Session, passkey_id: str, sign_count: int, backed_up: bool, now: datetime) -> None:
    """Record that the passkey opened its account now, and its device's counter."""
    values = {"sign_count": sign_count, "backed_up": backed_up, "last_used_at": now}
    statement = update(Passkey).where(col(Passkey.id) == passkey_id).values(**values)
    session.exec(statement.execution_options(**UNSYNCHRONISED))


def set_name(session: Session, patient_id: str, passkey_id: str, name: str) -> bool:
    """Rename a passkey of this patient. Returns whether it exists."""
    statement = (
        update(Passkey).where(col(Passkey.id) == passkey_id, col(Passkey.patient_id) == patient_id).values(name=name)
    )
    return session.connection().execute(statement).rowcount > 0


def forget(session: Session, rows: Sequence[Passkey]) -> None:
    """Delete these passkeys. The caller holds their patient."""
    session.connection().execute(delete(Passkey).where(col(Passkey.id).in_([row.id for row in rows])))


def forget_offer(session: Session, patient_id: str) -> None:
    """Delete the offer, so that the patient is asked once more. The caller holds the patient."""
    session.connection().execute(delete(PasskeyOffer).where(col(PasskeyOffer.patient_id) == patient_id))


def offer_of(session: Session, patient_id: str) -> PasskeyOffer | None:
    """The offer that was made to the patient, if any."""
    return session.get(PasskeyOffer, patient_id, populate_existing=True)
