"""Questions about patients."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, tuple_
from sqlmodel import Session, col, select, update

from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.patients import Patient

# Goes with every change of `password_hash` but that of a hash made again over the same password.
NEXT_PASSWORD: Mapping[str, Any] = {"password_version": col(Patient.password_version) + 1}

_THIS = col(Patient.id) == bindparam("patient_id")
_BY_PHONE = select(Patient).where(col(Patient.phone) == bindparam("phone"))
# As the lock found it: another transaction may have changed what the session has read. What the session has changed itself is
# flushed before.
_AS_FOUND: Mapping[str, Any] = {"populate_existing": True}
_BY_PHONE_HELD = _BY_PHONE.with_for_update().execution_options(**_AS_FOUND)
_BY_ID_HELD = select(Patient).where(_THIS).with_for_update().execution_options(**_AS_FOUND)
_HELD = (
    select(Patient)
    .where(col(Patient.id).in_(bindparam("patient_ids", expanding=True)))
    .order_by(col(Patient.id))
    .with_for_update()
    .execution_options(**_AS_FOUND)
)
_PROVED_EMAIL_OF = select(Patient.proved_email).where(_THIS)
_PASSWORD_HASH_OF = select(Patient.password_hash).where(_THIS)
_PASSWORD_OF = select(Patient.id, Patient.password_version).where(col(Patient.phone) == bindparam("phone"))
_PASSWORD_VERSION_OF = select(Patient.password_version).where(_THIS)
_EVERYONE = select(Patient).order_by(col(Patient.last_name), col(Patient.first_name))
_NAME = (col(Patient.last_name), col(Patient.first_name), col(Patient.id))
_AFTER_NAME = tuple_(*_NAME) > tuple_(bindparam("after_last"), bindparam("after_first"), bindparam("after_id"))
_PAGE = select(Patient).order_by(*_NAME).limit(bindparam("limit", type_=Integer()))
_PAGE_AFTER = _PAGE.where(_AFTER_NAME)
_NAMED = _PAGE.where(col(Patient.last_name).in_(bindparam("last_names", expanding=True)))
_NAMED_WHOLLY = _NAMED.where(col(Patient.first_name).in_(bindparam("first_names", expanding=True)))
_ANY_OF_PHONES = select(Patient).where(col(Patient.phone).in_(bindparam("phones", expanding=True)))
_SET_PASSWORD = (
    update(Patient)
    .where(_THIS)
    .values(password_hash=bindparam("new_hash"), password_changed_at=bindparam("now"), **NEXT_PASSWORD)
    .execution_options(**UNSYNCHRONISED)
)
_REPLACE_HASH = (
    update(Patient)
    .where(_THIS, col(Patient.password_hash) == bindparam("old_hash"))
    .values(password_hash=bindparam("new_hash"))
    .execution_options(**UNSYNCHRONISED)
)
_RECORD_PHONE_PROOF = (
    update(Patient).where(_THIS).values(phone_proved_at=bindparam("now")).execution_options(**UNSYNCHRONISED)
)
_BY_SNILS = select(Patient).where(col(Patient.snils_index).in_(bindparam("indexes", expanding=True)))
_BY_SNILS_HELD = _BY_SNILS.with_for_update().execution_options(**_AS_FOUND)


def proved_email(session: Session, patient_id: str) -> str:
    """The address that notices to this patient go to; empty where there is none."""
    return session.exec(_PROVED_EMAIL_OF, params={"patient_id": patient_id}).first() or ""


def by_phone(session: Session, phone: str) -> Patient | None:
    """The patient who signs in with this number (E.164)."""
    return session.exec(_BY_PHONE, params={"phone": phone}).first()


def password_of(session: Session, phone: str) -> tuple[str, int]:
    """The id of the account with this number (E.164), and how often its password was changed; no id and 0 when there is none."""
    patient_id, version = session.exec(_PASSWORD_OF, params={"phone": phone}).first() or ("", 0)
    return patient_id, version


def password_version_of(session: Session, patient_id: str) -> int | None:
    """How often this patient's password was changed; None for nobody."""
    return session.exec(_PASSWORD_VERSION_OF, params={"patient_id": patient_id}).first()


def by_phone_held(session: Session, phone: str) -> Patient | None:
    """The same, kept as it is until the session commits."""
    return session.exec(_BY_PHONE_HELD, params={"phone": phone}).first()


def by_id_held(session: Session, patient_id: str) -> Patient | None:
    """The patient with this id, kept as it is until the session commits (a row lock where the database has them)."""
    return session.exec(_BY_ID_HELD, params={"patient_id": patient_id}).first()


def hold(session: Session, patient_id: str) -> None:
    """As `by_id_held`, where the row is of no use. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        by_id_held(session, patient_id)


def held(session: Session, patient_ids: Collection[str]) -> dict[str, Patient]:
    """These patients, kept as they are until the session commits; locked in the order of their ids, so that two transactions
    that want the same two never wait for each other."""
    rows = session.exec(_HELD, params={"patient_ids": sorted(patient_ids)}).all()
    return {patient.id: patient for patient in rows}


def password_hash_of(session: Session, patient_id: str) -> str | None:
    """The encoded hash of the password in force."""
    return session.exec(_PASSWORD_HASH_OF, params={"patient_id": patient_id}).first()


def everyone(session: Session) -> list[Patient]:
    """All patients by name."""
    return list(session.exec(_EVERYONE).all())


def page(session: Session, after: tuple[str, str, str] | None, limit: int) -> Sequence[Patient]:
    """The next patients by last name, first name, id, after those of one (None: from the first)."""
    if after is None:
        return session.exec(_PAGE, params={"limit": limit}).all()
    last, first, patient_id = after
    params: dict[str, object] = {"limit": limit, "after_last": last, "after_first": first, "after_id": patient_id}
    return session.exec(_PAGE_AFTER, params=params).all()


def named(session: Session, last_names: Sequence[str], first_names: Sequence[str], limit: int) -> Sequence[Patient]:
    """Patients with one of these last names, and one of these first names unless there are none, letter for letter."""
    params: dict[str, object] = {"last_names": last_names, "limit": limit}
    if not first_names:
        return session.exec(_NAMED, params=params).all()
    return session.exec(_NAMED_WHOLLY, params=params | {"first_names": first_names}).all()


def with_phones(session: Session, phones: Collection[str]) -> dict[str, Patient]:
    """The patients who sign in with these numbers (E.164), by number."""
    rows = session.exec(_ANY_OF_PHONES, params={"phones": sorted(phones)}).all()
    return {patient.phone: patient for patient in rows if patient.phone}


def set_password(session: Session, patient_id: str, password_hash: str, now: datetime) -> None:
    """Store a new password: a sign-in with the one before that has no session yet gets none. What the session has read
    stays as it was."""
    session.exec(_SET_PASSWORD, params={"patient_id": patient_id, "new_hash": password_hash, "now": now})


def replace_hash(session: Session, patient_id: str, old_hash: str, new_hash: str) -> bool:
    """Store the same password under newer parameters, unless it was changed meanwhile; whether it was stored."""
    params = {"patient_id": patient_id, "old_hash": old_hash, "new_hash": new_hash}
    return bool(session.exec(_REPLACE_HASH, params=params).rowcount)


def record_phone_proof(session: Session, patient_id: str, now: datetime) -> None:
    """Note that the patient has just shown to hold the number. What the session has read stays as it was."""
    session.exec(_RECORD_PHONE_PROOF, params={"patient_id": patient_id, "now": now})


def by_snils_held(session: Session, indexes: Sequence[str]) -> Patient | None:
    """As `by_snils`, kept as it is until the session commits."""
    return session.exec(_BY_SNILS_HELD, params={"indexes": indexes}).first()


def by_snils(session: Session, indexes: Sequence[str]) -> Patient | None:
    """The patient with this СНИЛС, by its index under any key (services.crypto.field_encryption)."""
    return session.exec(_BY_SNILS, params={"indexes": indexes}).first()
