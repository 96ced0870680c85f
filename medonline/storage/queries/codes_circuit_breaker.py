"""Questions about wrong codes over all phones, and the circuit breaker's row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Integer, bindparam, func, or_
from sqlalchemy import select as sa_select  # SQLModel's own cannot become a subquery
from sqlmodel import Session, col, delete, select, update

from medonline.domain.codes.channels import CALLED
from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.codes import CircuitBreaker, CodeMiss, OneTimeCodeRow
from medonline.storage.tables.columns import UtcDateTime

NAME = "codes"  # as the migration wrote it


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The state of the breaker now. `open_until` (UTC): None when it was never open. `times`: openings in a row."""

    open_until: datetime | None
    times: int


_THIS = col(CircuitBreaker.name) == NAME
# For use inside another query.
OPEN_UNTIL = sa_select(col(CircuitBreaker.open_until)).where(_THIS).scalar_subquery()
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_STATE = select(CircuitBreaker.open_until, CircuitBreaker.times).where(col(CircuitBreaker.name) == NAME)
_OPEN = (
    update(CircuitBreaker)
    .where(
        col(CircuitBreaker.name) == NAME,
        or_(col(CircuitBreaker.open_until).is_(None), col(CircuitBreaker.open_until) <= bindparam("now")),
    )
    .values(open_until=bindparam("until"), times=bindparam("in_a_row"))
    .returning(col(CircuitBreaker.name))
    .execution_options(**UNSYNCHRONISED)
)
_CLOSE = (
    update(CircuitBreaker)
    .where(col(CircuitBreaker.name) == NAME, col(CircuitBreaker.open_until) > bindparam("now"))
    .values(open_until=bindparam("now"), times=0)
    .returning(col(CircuitBreaker.name))
    .execution_options(**UNSYNCHRONISED)
)
_FORGET = delete(CodeMiss).where(col(CodeMiss.at) < bindparam("forget_before")).execution_options(**UNSYNCHRONISED)
_MISSES = select(func.count()).select_from(CodeMiss).where(col(CodeMiss.at) > bindparam("after"))
_MISSES_SINCE = _MISSES.where(col(CodeMiss.at) >= bindparam("since"))
_KNOWN = or_(
    col(OneTimeCodeRow.confirmed_at).is_not(None),
    col(OneTimeCodeRow.replaced_at).is_not(None),
    col(OneTimeCodeRow.expires_at) <= bindparam("now"),
    col(OneTimeCodeRow.misses) >= bindparam("guesses"),
)
_OUTCOMES = (
    select(col(OneTimeCodeRow.confirmed_at).is_not(None))
    .where(
        _KNOWN,
        col(OneTimeCodeRow.delivery) != bindparam("failed"),
        col(OneTimeCodeRow.channel).not_in(CALLED),  # nothing is typed for these, so nothing is guessed
        # The index needs one end of a range, whatever the breaker's state is: with `or` the query would read the whole table.
        col(OneTimeCodeRow.issued_at) >= func.coalesce(OPEN_UNTIL, bindparam("ever", _EVER, type_=UtcDateTime())),
    )
    .order_by(col(OneTimeCodeRow.issued_at).desc())
    .limit(bindparam("limit", type_=Integer()))
)


def state(session: Session) -> BreakerState:
    """The breaker as it is now."""
    return BreakerState(*session.exec(_STATE).one())


def open_(session: Session, now: datetime, until: datetime, times: int) -> bool:
    """Open the breaker unless it is open already. Returns whether this call opened it."""
    return session.exec(_OPEN, params={"now": now, "until": until, "in_a_row": times}).first() is not None


def close(session: Session, now: datetime) -> bool:
    """End an opening now (UTC) and reset the count of openings. Returns whether the breaker was open."""
    return session.exec(_CLOSE, params={"now": now}).first() is not None


def add_miss(session: Session, now: datetime, forget_before: datetime) -> None:
    """Record a wrong code and delete the old ones."""
    session.exec(_FORGET, params={"forget_before": forget_before})
    session.add(CodeMiss(at=now))
    session.flush()


def misses(session: Session, *, after: datetime, since: datetime | None) -> int:
    """How many wrong codes were typed after `after` and not before `since` (both UTC)."""
    if since is None:
        return int(session.exec(_MISSES, params={"after": after}).one())
    return int(session.exec(_MISSES_SINCE, params={"after": after, "since": since}).one())


def last_outcomes(session: Session, now: datetime, guesses: int, failed: str, limit: int) -> list[bool]:
    """Whether each of the last codes was confirmed, for codes since the breaker last closed whose outcome is known and that a phone may
    have shown. Empty while it is open.

    A code that did not go out says nothing about the person who types. A code that may still be typed says nothing yet.
    """
    params: dict[str, object] = {"now": now, "guesses": guesses, "failed": failed, "limit": limit}
    return list(session.exec(_OUTCOMES, params=params).all())
