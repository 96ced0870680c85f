"""Everything kept of one patient, and everything kept for longer than it is needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.gosuslugi import (
    IdentityJourney,
    LinkedIdentity,
    PendingIdentity,
    PersonalDataConsent,
)
from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.password_recovery import PasswordRecovery
from medonline.storage.tables.patient_cards import CardAccess, CardAttempt, CardRefresh, PatientCard
from medonline.storage.tables.patients import Patient

# What belongs to a patient by `patient_id`, in the order in which it can be deleted.
OF_PATIENT: tuple[Any, ...] = (
    LoginTicket,
    AccountSession,
    AccountChange,
    Notice,
    PatientCard,
    CardAccess,
    CardAttempt,
    CardRefresh,
    LinkedIdentity,
    PersonalDataConsent,
    PasswordRecovery,
)


async def rows_of(session: AsyncSession, patient: Patient) -> dict[str, list[SQLModel]]:
    """Every row about this patient by table, codes and recoveries of the phone included."""
    found: dict[str, list[SQLModel]] = {
        table.__tablename__: list(await session.exec(select(table).where(table.patient_id == patient.id)))
        for table in OF_PATIENT
    }
    codes: Any = select(OneTimeCodeRow).where(OneTimeCodeRow.phone == patient.phone)
    found["one_time_code"] = list(await session.exec(codes)) if patient.phone else []
    return found


async def erase_codes(session: AsyncSession, patient: Patient) -> dict[str, int]:
    """Delete the codes to this patient's phone; how many by table."""
    if not patient.phone:
        return {}
    return {"one_time_code": await _delete(session, OneTimeCodeRow, OneTimeCodeRow.phone == patient.phone)}


async def erase(session: AsyncSession, patient: Patient) -> dict[str, int]:
    """Delete every other row about this patient, whom the caller holds; how many by table. Recoveries that were begun for the
    phone go, too."""
    gone: dict[str, int] = {}
    if patient.phone:
        await _delete(session, PasswordRecovery, PasswordRecovery.phone == patient.phone)
    # What others see of the patient by consent ends with the patient.
    given = select(CardAccess.id).where(CardAccess.holder_id == patient.id)
    await _delete(session, PatientCard, col(PatientCard.access_id).in_(given))
    await _delete(session, CardAccess, CardAccess.holder_id == patient.id)
    for table in OF_PATIENT:
        gone[table.__tablename__] = await _delete(session, table, table.patient_id == patient.id)
    gone["patient"] = await _delete(session, Patient, col(Patient.id) == patient.id)
    return gone


async def forget_codes(session: AsyncSession, before: datetime) -> dict[str, int]:
    """Codes, and recoveries that nobody can go on with, of before then."""
    return {
        "one_time_code": await _delete(session, OneTimeCodeRow, OneTimeCodeRow.expires_at < before),
        "password_recovery": await _delete(session, PasswordRecovery, PasswordRecovery.created_at < before),
    }


async def forget_sessions(session: AsyncSession, before: datetime) -> dict[str, int]:
    """Sessions that ended, or that nobody used since then."""
    over = or_(col(AccountSession.ended_at) < before, col(AccountSession.last_seen_at) < before)
    return {"account_session": await _delete(session, AccountSession, over)}


async def forget_notices(session: AsyncSession, before: datetime) -> dict[str, int]:
    """Notices that are done."""
    done = (col(Notice.due_at).is_(None), Notice.created_at < before)
    return {"notice": await _delete(session, Notice, *done)}


async def forget_waiting(session: AsyncSession, before: datetime) -> dict[str, int]:
    """What waits for minutes only: tickets, journeys, people before their consent, changes, policies that were tried."""
    return {
        "login_ticket": await _delete(session, LoginTicket, LoginTicket.expires_at < before),
        "identity_journey": await _delete(session, IdentityJourney, IdentityJourney.created_at < before),
        "pending_identity": await _delete(session, PendingIdentity, PendingIdentity.created_at < before),
        "account_change": await _delete(session, AccountChange, AccountChange.created_at < before),
        "card_attempt": await _delete(session, CardAttempt, CardAttempt.at < before),
    }


async def _delete(session: AsyncSession, table: Any, *where: Any) -> int:
    return int((await session.exec(delete(table).where(*where))).rowcount)
