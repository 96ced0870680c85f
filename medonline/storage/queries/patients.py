"""Questions about patients."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select, update

from medonline.storage.tables.patients import Patient

# Goes with every change of `password_hash` but that of a hash made anew over the same password.
NEXT_PASSWORD: Mapping[str, Any] = {"password_version": col(Patient.password_version) + 1}


def by_phone(session: Session, phone: str) -> Patient | None:
    """The patient who signs in with this number (E.164)."""
    return session.exec(select(Patient).where(Patient.phone == phone)).first()


def by_phone_held(session: Session, phone: str) -> Patient | None:
    """The same, kept as it is until the session commits."""
    return session.exec(select(Patient).where(Patient.phone == phone).with_for_update()).first()


def by_id_held(session: Session, patient_id: str) -> Patient | None:
    """The patient with this id, kept as it is until the session commits (a row lock where the database has them)."""
    return session.get(Patient, patient_id, with_for_update=True)


def held(session: Session, patient_ids: Collection[str]) -> dict[str, Patient]:
    """These patients, kept as they are until the session commits; locked in the order of their ids, so that two transactions
    that want the same two never wait for each other."""
    statement = (
        select(Patient).where(col(Patient.id).in_(sorted(patient_ids))).order_by(col(Patient.id)).with_for_update()
    )
    return {patient.id: patient for patient in session.exec(statement).all()}


def password_hash_of(session: Session, patient_id: str) -> str | None:
    """The encoded hash of the password in force."""
    statement = select(Patient.password_hash).where(Patient.id == patient_id)
    return session.exec(statement).first()


def everyone(session: Session) -> list[Patient]:
    """All patients by name."""
    statement = select(Patient).order_by(col(Patient.last_name), col(Patient.first_name))
    return list(session.exec(statement).all())


def put_password(session: Session, patient_id: str, password_hash: str, now: datetime) -> None:
    """Store a new password: whoever signed in with the one before and has no session yet gets none."""
    values = {"password_hash": password_hash, "password_changed_at": now, **NEXT_PASSWORD}
    session.exec(update(Patient).where(col(Patient.id) == patient_id).values(**values))


def put_rehashed(session: Session, patient_id: str, old_hash: str, new_hash: str) -> bool:
    """Store the same password under newer parameters, unless it was changed meanwhile; whether it was stored."""
    statement = (
        update(Patient)
        .where(col(Patient.id) == patient_id, col(Patient.password_hash) == old_hash)
        .values(password_hash=new_hash)
    )
    return bool(session.exec(statement).rowcount)


def put_phone_proof(session: Session, patient_id: str, now: datetime) -> None:
    """Note that the patient has just shown to hold the number."""
    session.exec(update(Patient).where(col(Patient.id) == patient_id).values(phone_proved_at=now))


def by_snils_held(session: Session, indexes: Sequence[str]) -> Patient | None:
    """As `by_snils`, kept as it is until the session commits."""
    statement = select(Patient).where(col(Patient.snils_index).in_(indexes)).with_for_update()
    return session.exec(statement).first()


def by_snils(session: Session, indexes: Sequence[str]) -> Patient | None:
    """The patient with this СНИЛС, by its index under any key (services.crypto.field_encryption)."""
    return session.exec(select(Patient).where(col(Patient.snils_index).in_(indexes))).first()
