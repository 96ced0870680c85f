"""Questions about tickets and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, delete, select, update

from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.patients import Patient

# Goes with every end of a session: the token of the identity provider has nothing to end any more.
ENDED: Mapping[str, Any] = {"provider_token_sealed": ""}


def take_ticket(session: Session, ticket_hash: str, visitor_key: str, now: datetime) -> LoginTicket | None:
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
    row = session.exec(statement).first()
    return None if row is None else row[0]


def forget_token_of_ticket(session: Session, ticket_hash: str) -> None:
    """The session has it now."""
    session.exec(update(LoginTicket).where(col(LoginTicket.ticket_hash) == ticket_hash).values(**ENDED))


def forget_tokens(session: Session, now: datetime, *, seen_before: datetime, created_before: datetime) -> int:
    """Drop the identity provider's tokens of sessions and tickets that are over though nothing ended them; how many there were."""
    idled_out = or_(
        col(AccountSession.ended_at).is_not(None),
        col(AccountSession.last_seen_at) <= seen_before,
        col(AccountSession.created_at) <= created_before,
    )
    late = or_(col(LoginTicket.used_at).is_not(None), col(LoginTicket.expires_at) <= now)
    sessions = update(AccountSession).where(col(AccountSession.provider_token_sealed) != "", idled_out)
    tickets = update(LoginTicket).where(col(LoginTicket.provider_token_sealed) != "", late)
    gone = [session.exec(statement.values(**ENDED)) for statement in (sessions, tickets)]
    return sum(int(one.rowcount) for one in gone)


def ticket_of(session: Session, ticket_hash: str) -> str | None:
    """The id of the patient whom this ticket lets in, if there ever was one; whether it is good is for `take_ticket` to say."""
    return session.exec(select(LoginTicket.patient_id).where(LoginTicket.ticket_hash == ticket_hash)).first()


def forget_tickets(session: Session, patient_id: str, method: str) -> None:
    """Delete the tickets by which this patient is on the way in; the caller holds the patient."""
    where = (col(LoginTicket.patient_id) == patient_id, col(LoginTicket.method) == method)
    session.exec(delete(LoginTicket).where(*where))


def live(
    session: Session, token_hash: str, *, seen_after: datetime, created_after: datetime
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
    return session.exec(statement).first()


def put_seen(session: Session, token_hash: str, now: datetime) -> None:
    """The session was used now."""
    session.exec(
        update(AccountSession)
        .where(col(AccountSession.token_hash) == token_hash, col(AccountSession.ended_at).is_(None))
        .values(last_seen_at=now)
    )


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that has just ended, and the token of the identity provider that it held until then."""

    row: AccountSession
    provider_token_sealed: str


def end(session: Session, token_hash: str, now: datetime) -> EndedSession | None:
    """End one session; None when it was not open."""
    statement = (
        select(AccountSession)
        .where(AccountSession.token_hash == token_hash, col(AccountSession.ended_at).is_(None))
        .with_for_update()
    )
    row = session.exec(statement).first()
    if row is None:
        return None
    ended = EndedSession(row, row.provider_token_sealed)
    row.sqlmodel_update({**ENDED, "ended_at": now})
    session.add(row)
    return ended


def end_all_of(session: Session, patient_id: str, now: datetime, but: str = "", method: str | None = None) -> list[str]:
    """End every session of a patient, whom the caller holds, `but` the one with this token hash, or those of one way of
    signing in; the token hashes of those that were open."""
    where = [
        col(AccountSession.patient_id) == patient_id,
        col(AccountSession.token_hash) != but,
        col(AccountSession.ended_at).is_(None),
    ]
    if method is not None:
        where.append(col(AccountSession.method) == method)
    statement = (
        update(AccountSession).where(*where).values(ended_at=now, **ENDED).returning(col(AccountSession.token_hash))
    )
    return [row[0] for row in session.exec(statement).all()]


def end_by_number(session: Session, patient_id: str, number: str, now: datetime) -> list[AccountSession]:
    """End the session of this patient whose token hash begins with `number`; the sessions that ended."""
    statement = (
        update(AccountSession)
        .where(
            col(AccountSession.patient_id) == patient_id,
            col(AccountSession.token_hash).startswith(number, autoescape=True),
            col(AccountSession.ended_at).is_(None),
        )
        .values(ended_at=now, **ENDED)
        .returning(AccountSession)
    )
    return [row[0] for row in session.exec(statement).all()]


def open_of(
    session: Session, patient_id: str, *, seen_after: datetime, created_after: datetime
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
    return list(session.exec(statement).all())


def put_authenticated(session: Session, token_hash: str, now: datetime) -> None:
    """The person of this session has just proved again to be themselves."""
    session.exec(
        update(AccountSession)
        .where(col(AccountSession.token_hash) == token_hash, col(AccountSession.ended_at).is_(None))
        .values(authenticated_at=now, last_seen_at=now)
    )


def is_open(session: Session, token_hash: str) -> bool:
    """Whether the session has not been ended."""
    statement = select(AccountSession.token_hash).where(
        AccountSession.token_hash == token_hash, col(AccountSession.ended_at).is_(None)
    )
    return session.exec(statement).first() is not None
