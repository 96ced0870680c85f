"""Questions about the cards of an account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.storage.tables.patient_cards import CardMiss, PatientCard
from medonline.storage.tables.patients import Patient


async def of_patient(session: AsyncSession, patient_id: str) -> list[PatientCard]:
    """Every card the account ever had, unlinked ones too; working ones first, then by holder."""
    statement = (
        select(PatientCard)
        .where(PatientCard.patient_id == patient_id)
        .order_by(col(PatientCard.active).desc(), col(PatientCard.holder), col(PatientCard.number))
    )
    return list((await session.exec(statement)).all())


async def unlink(session: AsyncSession, patient_id: str, card_id: str, now: datetime) -> bool:
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
    return bool((await session.exec(statement)).rowcount)


async def put_fetched(session: AsyncSession, patient_id: str, now: datetime) -> None:
    """The registry has answered for this account."""
    await session.exec(update(Patient).where(col(Patient.id) == patient_id).values(cards_fetched_at=now))


async def misses_since(session: AsyncSession, patient_id: str, since: datetime) -> tuple[int, datetime | None]:
    """How many policies or birth dates of this account did not fit, and when the first of them was."""
    statement = select(func.count(), func.min(CardMiss.at)).where(
        CardMiss.patient_id == patient_id, col(CardMiss.at) > since
    )
    count, first = (await session.exec(statement)).one()
    return int(count), first
