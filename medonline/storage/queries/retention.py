"""Rows that are past their time: readers find them, and they are deleted a few hundred at a time.

A query that searches a large table holds no writer's lock meanwhile, and the lock that a batch takes is held for milliseconds. So patients
can write between two batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import Session, SQLModel, col

from medonline.storage.queries.login import ENDED
from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.email_proofs import EmailProof
from medonline.storage.tables.gosuslugi import IdentityJourney, PendingIdentity
from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.passkeys import PasskeyChallenge
from medonline.storage.tables.password_recovery import PasswordRecovery
from medonline.storage.tables.patient_cards import CardAttempt

BATCH = 200
_LOCK = 7_316_001  # a PostgreSQL advisory lock: one process at a time deletes


@dataclass(frozen=True, slots=True)
class Past:
    """Rows of one table that are past their time.

    put: the values that the rows get. None: the rows are deleted.
    """

    table: type[SQLModel]
    where: tuple[Any, ...]
    put: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The table's name in the database."""
        return str(self.table.__tablename__)

    @property
    def _key(self) -> Any:
        (key,) = self.table.__table__.primary_key.columns  # type: ignore[attr-defined]
        return key


def codes(before: datetime) -> tuple[Past, ...]:
    """Codes, recoveries that no one can continue, and proofs of addresses, all from before this moment."""
    return (
        Past(OneTimeCodeRow, (col(OneTimeCodeRow.expires_at) < before,)),
        Past(PasswordRecovery, (col(PasswordRecovery.created_at) < before,)),
        Past(EmailProof, (col(EmailProof.created_at) < before,)),
    )


def sessions(before: datetime) -> tuple[Past, ...]:
    """Sessions that ended before this moment, or were not used since then."""
    over = or_(col(AccountSession.ended_at) < before, col(AccountSession.last_seen_at) < before)
    return (Past(AccountSession, (over,)),)


def notices(before: datetime) -> tuple[Past, ...]:
    """Notices that are done and older than this moment."""
    return (Past(Notice, (col(Notice.due_at).is_(None), col(Notice.created_at) < before)),)


def waiting(before: datetime) -> tuple[Past, ...]:
    """Rows that are needed for minutes only: tickets, journeys, challenges of passkeys, people before their consent, changes, and tried
    policies."""
    return (
        Past(LoginTicket, (col(LoginTicket.expires_at) < before,)),
        Past(IdentityJourney, (col(IdentityJourney.created_at) < before,)),
        Past(PendingIdentity, (col(PendingIdentity.created_at) < before,)),
        Past(PasskeyChallenge, (col(PasskeyChallenge.expires_at) < before,)),
        Past(AccountChange, (col(AccountChange.created_at) < before,)),
        Past(CardAttempt, (col(CardAttempt.at) < before,)),
    )


def provider_tokens(now: datetime, *, seen_before: datetime, created_before: datetime) -> tuple[Past, ...]:
    """The identity provider's tokens of sessions and tickets that have expired without being ended. The rows stay."""
    idled_out = or_(
        col(AccountSession.ended_at).is_not(None),
        col(AccountSession.last_seen_at) <= seen_before,
        col(AccountSession.created_at) <= created_before,
    )
    late = or_(col(LoginTicket.used_at).is_not(None), col(LoginTicket.expires_at) <= now)
    return (
        Past(AccountSession, (col(AccountSession.provider_token_sealed) != "", idled_out), ENDED),
        Past(LoginTicket, (col(LoginTicket.provider_token_sealed) != "", late), ENDED),
    )


def found(session: Session, past: Past) -> list[str]:
    """The keys of the next rows that are past their time, at most `BATCH`."""
    return list(session.connection().execute(select(past._key).where(*past.where).limit(BATCH)).scalars())


def forget(session: Session, past: Past, keys: Sequence[str]) -> int:
    """Delete those of these rows that are still past their time. Returns how many."""
    these = (past._key.in_(keys), *past.where)
    statement = delete(past.table) if past.put is None else update(past.table).values(**past.put)
    return int(session.connection().execute(statement.where(*these)).rowcount)


def is_ours(session: Session) -> bool:
    """Whether this transaction gets the lock under which one process at a time deletes. It is held until the transaction ends."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return True  # SQLite's writers wait for each other anyway
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one())
