"""Questions about tickets and sessions."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.patients import Patient


async def take_ticket(session: AsyncSession, ticket_hash: str, visitor_key: str, now: datetime) -> LoginTicket | None:
    """Use up a ticket of this browser; None when it is unknown, used, late or another browser's."""
    statement = (
        update(LoginTicket)
        .where(
            col(LoginTicket.ticket_hash) == ticket_hash,
            col(LoginTicket.visitor_key) == visitor_key,
            col(LoginTicket.used_at).is_(None),
            col(LoginTicket.expires_at) > now,
        )
        .values(used_at=now)
        .returning(LoginTicket)
    )
    row = (await session.exec(statement)).first()
    return None if row is None else row[0]


async def has_ticket(session: AsyncSession, ticket_hash: str) -> bool:
    """Whether there ever was this ticket; whether it is good is for `take_ticket` to say."""
    return await session.get(LoginTicket, ticket_hash) is not None


async def live(
    session: AsyncSession, token_hash: str, *, seen_after: datetime, created_after: datetime
) -> tuple[AccountSession, Patient] | None:
    """The session with this token and its patient, unless it has ended, idled out or grown too old."""
    statement = (
        select(AccountSession, Patient)
        .join(Patient, col(Patient.id) == col(AccountSession.patient_id))
        .where(
            AccountSession.token_hash == token_hash,
            col(AccountSession.ended_at).is_(None),
            col(AccountSession.last_seen_at) > seen_after,
            col(AccountSession.created_at) > created_after,
        )
    )
    return (await session.exec(statement)).first()


async def put_seen(session: AsyncSession, token_hash: str, now: datetime) -> None:
    """The session was used now."""
    await session.exec(
        update(AccountSession)
        .where(col(AccountSession.token_hash) == token_hash, col(AccountSession.ended_at).is_(None))
        .values(last_seen_at=now)
    )


async def end(session: AsyncSession, token_hash: str, now: datetime) -> AccountSession | None:
    """End one session; None when it was not open."""
    statement = (
        update(AccountSession)
        .where(col(AccountSession.token_hash) == token_hash, col(AccountSession.ended_at).is_(None))
        .values(ended_at=now)
        .returning(AccountSession)
    )
    row = (await session.exec(statement)).first()
    return None if row is None else row[0]


async def end_all_of(session: AsyncSession, patient_id: str, now: datetime, but: str = "") -> list[str]:
    """End every session of a patient, `but` the one with this token hash; the token hashes of those that were open."""
    statement = (
        update(AccountSession)
        .where(
            col(AccountSession.patient_id) == patient_id,
            col(AccountSession.token_hash) != but,
            col(AccountSession.ended_at).is_(None),
        )
        .values(ended_at=now)
        .returning(col(AccountSession.token_hash))
    )
    return [row[0] for row in (await session.exec(statement)).all()]


async def end_by_number(session: AsyncSession, patient_id: str, number: str, now: datetime) -> list[AccountSession]:
    """End the session of this patient whose token hash begins with `number`; the sessions that ended."""
    statement = (
        update(AccountSession)
        .where(
            col(AccountSession.patient_id) == patient_id,
            col(AccountSession.token_hash).startswith(number, autoescape=True),
            col(AccountSession.ended_at).is_(None),
        )
        .values(ended_at=now)
        .returning(AccountSession)
    )
    return [row[0] for row in (await session.exec(statement)).all()]


async def open_of(
    session: AsyncSession, patient_id: str, *, seen_after: datetime, created_after: datetime
) -> list[AccountSession]:
    """The live sessions of a patient, the one used last first."""
    statement = (
        select(AccountSession)
        .where(
            AccountSession.patient_id == patient_id,
            col(AccountSession.ended_at).is_(None),
            col(AccountSession.last_seen_at) > seen_after,
            col(AccountSession.created_at) > created_after,
        )
        .order_by(col(AccountSession.last_seen_at).desc())
    )
    return list((await session.exec(statement)).all())


async def put_authenticated(session: AsyncSession, token_hash: str, now: datetime) -> None:
    """The person of this session has just proved again to be themselves."""
    await session.exec(
        update(AccountSession)
        .where(col(AccountSession.token_hash) == token_hash, col(AccountSession.ended_at).is_(None))
        .values(authenticated_at=now, last_seen_at=now)
    )


async def is_open(session: AsyncSession, token_hash: str) -> bool:
    """Whether the session has not been ended."""
    statement = select(AccountSession.token_hash).where(
        AccountSession.token_hash == token_hash, col(AccountSession.ended_at).is_(None)
    )
    return (await session.exec(statement)).first() is not None
