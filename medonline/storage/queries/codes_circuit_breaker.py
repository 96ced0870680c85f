"""Questions about wrong codes over all phones, and the circuit breaker's row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, delete, select, update

from medonline.storage.tables.codes import CircuitBreaker, CodeMiss, OneTimeCodeRow

NAME = "codes"  # as the migration wrote it


def state(session: Session) -> CircuitBreaker:
    """The breaker's row as it is now."""
    statement = select(CircuitBreaker).where(CircuitBreaker.name == NAME).execution_options(populate_existing=True)
    return session.exec(statement).one()


def open_(session: Session, now: datetime, until: datetime, times: int) -> bool:
    """Open it unless it is open already; whether this call did."""
    statement = (
        update(CircuitBreaker)
        .where(
            col(CircuitBreaker.name) == NAME,
            or_(col(CircuitBreaker.open_until).is_(None), col(CircuitBreaker.open_until) <= now),
        )
        .values(open_until=until, times=times)
        .returning(col(CircuitBreaker.name))
    )
    return session.exec(statement).first() is not None


def add_miss(session: Session, now: datetime, forget_before: datetime) -> None:
    """Note a wrong code; those of long ago are not kept."""
    session.exec(delete(CodeMiss).where(col(CodeMiss.at) < forget_before))
    session.add(CodeMiss(at=now))
    session.flush()


def misses(session: Session, *, after: datetime, since: datetime | None) -> int:
    """How many wrong codes were typed after one moment and not before the other (UTC both)."""
    statement = select(func.count()).select_from(CodeMiss).where(col(CodeMiss.at) > after)
    if since is not None:
        statement = statement.where(col(CodeMiss.at) >= since)
    return int(session.exec(statement).one())


def last_outcomes(
    session: Session, now: datetime, since: datetime | None, guesses: int, failed: str, limit: int
) -> list[bool]:
    """Of the last codes since a moment (UTC) whose fate is known and that a phone may have shown: whether each was confirmed.

    A code that did not go out says nothing of who typed; one that may still be typed says nothing yet.
    """
    known = or_(
        col(OneTimeCodeRow.confirmed_at).is_not(None),
        col(OneTimeCodeRow.replaced_at).is_not(None),
        col(OneTimeCodeRow.expires_at) <= now,
        col(OneTimeCodeRow.misses) >= guesses,
    )
    statement = select(OneTimeCodeRow.confirmed_at).where(known, OneTimeCodeRow.delivery != failed)
    if since is not None:
        statement = statement.where(col(OneTimeCodeRow.issued_at) >= since)
    statement = statement.order_by(col(OneTimeCodeRow.issued_at).desc()).limit(limit)
    return [confirmed_at is not None for confirmed_at in session.exec(statement).all()]
