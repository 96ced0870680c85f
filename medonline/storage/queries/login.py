"""Questions about tickets and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, delete, select, update

from medonline.storage.changes import session_topic
from medonline.storage.engine import announce
from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.patients import Patient

# Set at every end of a session: the identity provider's token has nothing left to end.
ENDED: Mapping[str, Any] = {"provider_token_sealed": ""}

_NOW = bindparam("now", type_=UtcDateTime())
_THIS_TICKET = col(LoginTicket.ticket_hash) == bindparam("ticket")
_THIS_SESSION = col(AccountSession.token_hash) == bindparam("session_key")
_OPEN = col(AccountSession.ended_at).is_(None)
_LIVE_NOW = (
    _OPEN,
    col(AccountSession.last_seen_at) > bindparam("seen_after"),
    col(AccountSession.created_at) > bindparam("created_after"),
)

_TAKE_TICKET = (
    update(LoginTicket)
    .where(
        _THIS_TICKET,
        col(LoginTicket.visitor_key) == bindparam("visitor"),
        col(LoginTicket.used_at).is_(None),
        col(LoginTicket.expires_at) > _NOW,
    )
    .values(used_at=_NOW)
    .returning(LoginTicket)
    .execution_options(**UNSYNCHRONISED, populate_existing=True)
)
_FORGET_TOKEN_OF_TICKET = update(LoginTicket).where(_THIS_TICKET).values(**ENDED).execution_options(**UNSYNCHRONISED)
_TICKET_OF = select(LoginTicket.patient_id).where(_THIS_TICKET)
_FORGET_TICKETS = (
    delete(LoginTicket)
    .where(col(LoginTicket.patient_id) == bindparam("patient_id"), col(LoginTicket.method) == bindparam("method"))
    .execution_options(**UNSYNCHRONISED)
)
_LIVE = (
    select(AccountSession, Patient)
    .join(Patient, col(Patient.id) == col(AccountSession.patient_id))
    .where(_THIS_SESSION, *_LIVE_NOW)
)
_TIMES_OF_LIVE = select(AccountSession.last_seen_at, AccountSession.created_at).where(_THIS_SESSION, *_LIVE_NOW)
_RECORD_SEEN = (
    update(AccountSession).where(_THIS_SESSION, _OPEN).values(last_seen_at=_NOW).execution_options(**UNSYNCHRONISED)
)
_OPEN_HELD = select(AccountSession).where(_THIS_SESSION, _OPEN).with_for_update()
_END_ALL = (
    update(AccountSession)
    .where(
        col(AccountSession.patient_id) == bindparam("of_patient"),
        col(AccountSession.token_hash) != bindparam("but"),
        _OPEN,
    )
    .values(ended_at=_NOW, **ENDED)
    .returning(col(AccountSession.token_hash))
    .execution_options(**UNSYNCHRONISED)
)
_END_ALL_BY = _END_ALL.where(col(AccountSession.method) == bindparam("by_method"))
_OPEN_OF = (
    select(AccountSession)
    .where(col(AccountSession.patient_id) == bindparam("patient_id"), *_LIVE_NOW)
    .order_by(col(AccountSession.last_seen_at).desc())
)
_RECORD_AUTHENTICATED = (
    update(AccountSession)
    .where(_THIS_SESSION, _OPEN)
    .values(authenticated_at=_NOW, last_seen_at=_NOW)
    .execution_options(**UNSYNCHRONISED)
)
_ENDED_SINCE = select(AccountSession.token_hash).where(
    col(AccountSession.ended_at) >= bindparam("since", type_=UtcDateTime())
)
_IS_OPEN = select(AccountSession.token_hash).where(_THIS_SESSION, _OPEN)


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that has just ended, and the identity provider's token that it held until then."""

    row: AccountSession
    provider_token_sealed: str


def take_ticket(session: Session, ticket_hash: str, visitor_key: str, now: datetime) -> LoginTicket | None:
    """Use up a ticket of this browser. None when it is unknown, used, late or another browser's."""
    row = session.exec(_TAKE_TICKET, params={"ticket": ticket_hash, "visitor": visitor_key, "now": now}).first()
    return None if row is None else row[0]


def forget_token_of_ticket(session: Session, ticket_hash: str) -> None:
    """Delete the provider's token of a ticket, because the session has it now."""
    session.exec(_FORGET_TOKEN_OF_TICKET, params={"ticket": ticket_hash})


def ticket_of(session: Session, ticket_hash: str) -> str | None:
    """The id of the patient whom this ticket would sign in, if it ever existed. Only `take_ticket` decides whether it is valid."""
    return session.exec(_TICKET_OF, params={"ticket": ticket_hash}).first()


def forget_tickets(session: Session, patient_id: str, method: str) -> None:
    """Delete the unused tickets of this patient for one way of signing in. The caller holds the patient."""
    session.exec(_FORGET_TICKETS, params={"patient_id": patient_id, "method": method})


def live(
    session: Session, token_hash: str, *, seen_after: datetime, created_after: datetime
) -> tuple[AccountSession, Patient] | None:
    """The session with this token hash and its patient, unless it has ended, idled out or grown too old."""
    params = {"session_key": token_hash, "seen_after": seen_after, "created_after": created_after}
    return session.exec(_LIVE, params=params).first()


def times_of_live(
    session: Session, token_hash: str, *, seen_after: datetime, created_after: datetime
) -> tuple[datetime, datetime] | None:
    """When the session that `live` would return was last used and when it began (both UTC)."""
    params = {"session_key": token_hash, "seen_after": seen_after, "created_after": created_after}
    found = session.exec(_TIMES_OF_LIVE, params=params).first()
    return None if found is None else (found[0], found[1])


def record_seen(session: Session, token_hash: str, now: datetime) -> None:
    """Record that the session was used now."""
    session.exec(_RECORD_SEEN, params={"session_key": token_hash, "now": now})


def end(session: Session, token_hash: str, now: datetime) -> EndedSession | None:
    """End one session. None when it was not open."""
    row = session.exec(_OPEN_HELD, params={"session_key": token_hash}).first()
    if row is None:
        return None
    ended = EndedSession(row, row.provider_token_sealed)
    row.sqlmodel_update({**ENDED, "ended_at": now})
    session.add(row)
    announce(session, session_topic(token_hash))
    return ended


def end_all_of(session: Session, patient_id: str, now: datetime, but: str = "", method: str | None = None) -> list[str]:
    """End every session of a patient, except the one with the token hash `but`; with `method`, only those of that way of signing in. The
    caller holds the patient. Returns the token hashes of the sessions that were open."""
    params = {"of_patient": patient_id, "but": but, "now": now}
    statement = _END_ALL
    if method is not None:
        statement, params = _END_ALL_BY, params | {"by_method": method}
    ended = [row[0] for row in session.exec(statement, params=params).all()]
    for key in ended:
        announce(session, session_topic(key))
    return ended


def end_by_number(session: Session, patient_id: str, number: str, now: datetime) -> list[AccountSession]:
    """End the sessions of this patient whose token hash begins with `number`. Returns those that ended."""
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
    ended = [row[0] for row in session.exec(statement).all()]
    for row in ended:
        announce(session, session_topic(row.token_hash))
    return ended


def open_of(
    session: Session, patient_id: str, *, seen_after: datetime, created_after: datetime
) -> list[AccountSession]:
    """The live sessions of a patient, the most recently used first."""
    params = {"patient_id": patient_id, "seen_after": seen_after, "created_after": created_after}
    return list(session.exec(_OPEN_OF, params=params).all())


def record_authenticated(session: Session, token_hash: str, now: datetime) -> None:
    """Record that the person of this session has just proved their identity again."""
    session.exec(_RECORD_AUTHENTICATED, params={"session_key": token_hash, "now": now})


def is_open(session: Session, token_hash: str) -> bool:
    """Whether nobody has ended the session."""
    return session.exec(_IS_OPEN, params={"session_key": token_hash}).first() is not None


def is_open_of(session: Session, token_hash: str, patient_id: str) -> bool:
    """Whether this is a session of the patient that nobody has ended. It may have idled out."""
    row = session.get(AccountSession, token_hash)
    return row is not None and row.patient_id == patient_id and row.ended_at is None


def begun_at(session: Session, token_hash: str) -> datetime | None:
    """When this session began (UTC)."""
    statement = select(AccountSession.created_at).where(col(AccountSession.token_hash) == token_hash)
    return session.exec(statement).first()


def ended_since(session: Session, since: datetime) -> list[str]:
    """The token hashes of the sessions that ended at this moment (UTC) or later."""
    return list(session.exec(_ENDED_SINCE, params={"since": since}).all())
