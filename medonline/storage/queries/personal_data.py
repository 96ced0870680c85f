"""Everything that is kept about one patient."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.email_proofs import EmailProof
from medonline.storage.tables.gosuslugi import (
    LinkedIdentity,
    PersonalDataConsent,
)
from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.passkeys import Passkey, PasskeyOffer
from medonline.storage.tables.password_recovery import PasswordRecovery
from medonline.storage.tables.patient_cards import CardAccess, CardAttempt, CardRefresh, PatientCard
from medonline.storage.tables.patients import Patient

# Tables whose rows belong to a patient by `patient_id`, in an order in which they can be deleted.
OF_PATIENT: tuple[Any, ...] = (
    LoginTicket,
    AccountSession,
    AccountChange,
    EmailProof,
    Notice,
    PatientCard,
    CardAccess,
    CardAttempt,
    CardRefresh,
    LinkedIdentity,
    Passkey,
    PasskeyOffer,
    PersonalDataConsent,
    PasswordRecovery,
)


def rows_of(session: Session, patient: Patient) -> dict[str, list[SQLModel]]:
    """Every row about this patient by table, codes and recoveries of the phone included."""
    found: dict[str, list[SQLModel]] = {
        table.__tablename__: list(session.exec(select(table).where(table.patient_id == patient.id)))
        for table in OF_PATIENT
    }
    codes: Any = select(OneTimeCodeRow).where(OneTimeCodeRow.phone == patient.phone)
    found["one_time_code"] = list(session.exec(codes)) if patient.phone else []
    return found


def erase_codes(session: Session, patient: Patient) -> dict[str, int]:
    """Delete the codes to this patient's phone. Returns how many, by table."""
    if not patient.phone:
        return {}
    return {"one_time_code": _delete(session, OneTimeCodeRow, OneTimeCodeRow.phone == patient.phone)}


def erase(session: Session, patient: Patient) -> dict[str, int]:
    """Delete every other row about this patient, whom the caller holds. Returns how many, by table. Recoveries that were begun for the
    phone go too."""
    gone: dict[str, int] = {}
    if patient.phone:
        _delete(session, PasswordRecovery, PasswordRecovery.phone == patient.phone)
    # What others see of the patient by consent ends with the account.
    given = select(CardAccess.id).where(CardAccess.holder_id == patient.id)
    _delete(session, PatientCard, col(PatientCard.access_id).in_(given))
    _delete(session, CardAccess, CardAccess.holder_id == patient.id)
    for table in OF_PATIENT:
        gone[table.__tablename__] = _delete(session, table, table.patient_id == patient.id)
    gone["patient"] = _delete(session, Patient, col(Patient.id) == patient.id)
    return gone


def _delete(session: Session, table: Any, *where: Any) -> int:
    return int(session.exec(delete(table).where(*where)).rowcount)
