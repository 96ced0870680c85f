"""Statements that read and change one-time codes and their delivery."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, String, and_, bindparam, case, func, or_
from sqlalchemy import select as sa_select  # SQLModel's own takes four columns
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, col, select, update

from medonline.storage.queries import codes_circuit_breaker
from medonline.storage.statements import UNSYNCHRONISED, new_facts, new_values
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.columns import UtcDateTime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one judged guess, and the code's row after it."""

    right: bool
    misses: int
    row: OneTimeCodeRow


@dataclass(frozen=True, slots=True)
class PastCode:
    """What the rules for the next code need to know about an issued one (UTC). `replaced`: a later one took its place. `open`: it is
    neither replaced nor confirmed."""

    issued_at: datetime
    channel: str
    delivery: str
    replaced: bool
    open: bool = False


# The newest first. Each new code replaces the one before. Times alone would be wrong after the clock was set back.
NEWEST = (col(OneTimeCodeRow.replaced_at).is_not(None), col(OneTimeCodeRow.issued_at).desc())
_LIMIT = bindparam("limit", type_=Integer())
_NOW = bindparam("now", type_=UtcDateTime())
# Whether a code might still be accepted, apart from its age and its wrong guesses.
_OPEN = (col(OneTimeCodeRow.confirmed_at).is_(None), col(OneTimeCodeRow.replaced_at).is_(None))

_NEWEST_OF_FLOW = (
    select(OneTimeCodeRow)
    .where(col(OneTimeCodeRow.flow_id) == bindparam("flow_id"))
    .order_by(*NEWEST)
    .limit(1)
    .execution_options(populate_existing=True)
)
_LAST_TO_PHONE = (
    sa_select(
        col(OneTimeCodeRow.issued_at),
        col(OneTimeCodeRow.channel),
        col(OneTimeCodeRow.delivery),
        col(OneTimeCodeRow.replaced_at).is_not(None),
        and_(*_OPEN),
    )
    .where(col(OneTimeCodeRow.phone) == bindparam("phone"))
    .order_by(col(OneTimeCodeRow.issued_at).desc())
    .limit(_LIMIT)
)
_SIGNS_ON_PHONE = select(func.coalesce(func.sum(OneTimeCodeRow.misses), 0), codes_circuit_breaker.OPEN_UNTIL).where(
    col(OneTimeCodeRow.phone) == bindparam("phone"),
    col(OneTimeCodeRow.issued_at) > bindparam("since"),
    or_(col(OneTimeCodeRow.confirmed_at).is_(None), col(OneTimeCodeRow.id) == bindparam("code_id")),
)
_HOLD = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger())))
_KILL_LIVE = (
    update(OneTimeCodeRow)
    .where(
        col(OneTimeCodeRow.phone) == bindparam("of_phone"),
        or_(
            col(OneTimeCodeRow.flow_id) == bindparam("of_flow"),
            col(OneTimeCodeRow.channel).not_in(bindparam("but_ways", expanding=True)),
        ),
        *_OPEN,
    )
    .values(replaced_at=_NOW)
    .execution_options(**UNSYNCHRONISED)
)
_DELIVERY = col(OneTimeCodeRow.delivery)
_ON_ITS_WAY = _DELIVERY.in_(bindparam("sources", expanding=True))
_RIGHT = col(OneTimeCodeRow.digest) == bindparam("typed_digest")
_JUDGE = (
    update(OneTimeCodeRow)
    .where(
        col(OneTimeCodeRow.id) == bindparam("code_id"),
        col(OneTimeCodeRow.misses) < bindparam("guesses"),
        col(OneTimeCodeRow.expires_at) > _NOW,
        *_OPEN,
    )
    .values(
        misses=col(OneTimeCodeRow.misses) + case((_RIGHT, 0), else_=1),
        confirmed_at=case((_RIGHT, _NOW), else_=None),
        delivery=case((and_(_RIGHT, _ON_ITS_WAY), bindparam("target", type_=String())), else_=_DELIVERY),
        due_at=case((_RIGHT, bindparam("next_look", type_=UtcDateTime())), else_=col(OneTimeCodeRow.due_at)),
        attempts=col(OneTimeCodeRow.attempts) + case((_RIGHT, 1), else_=0),
    )
    .returning(OneTimeCodeRow)
    .execution_options(**UNSYNCHRONISED, populate_existing=True)
)
_OF_FLOW = (
    select(OneTimeCodeRow.id, OneTimeCodeRow.digest, OneTimeCodeRow.replaced_at)
    .where(col(OneTimeCodeRow.flow_id) == bindparam("flow_id"))
    .order_by(col(OneTimeCodeRow.issued_at), col(OneTimeCodeRow.id))
)
_TELL = (
    update(OneTimeCodeRow)
    .where(col(OneTimeCodeRow.id) == bindparam("code_id"), col(OneTimeCodeRow.older_typed) < bindparam("most"))
    .values(older_typed=col(OneTimeCodeRow.older_typed) + 1)
    .returning(col(OneTimeCodeRow.id))
    .execution_options(**UNSYNCHRONISED)
)
_DUE = (
    select(OneTimeCodeRow)
    .where(
        col(OneTimeCodeRow.due_at) <= _NOW,
        col(OneTimeCodeRow.channel) == bindparam("channel"),
        col(OneTimeCodeRow.delivery).in_(bindparam("states", expanding=True)),
        col(OneTimeCodeRow.id).not_in(bindparam("skip", expanding=True)),
    )
    .order_by(col(OneTimeCodeRow.due_at))
    .limit(_LIMIT)
)
_ALL_DUE = (
    select(OneTimeCodeRow)
    .where(col(OneTimeCodeRow.due_at) <= _NOW, col(OneTimeCodeRow.id).not_in(bindparam("skip", expanding=True)))
    .order_by(col(OneTimeCodeRow.due_at))
    .limit(_LIMIT)
)
_BY_PROVIDER_REF = select(OneTimeCodeRow).where(
    col(OneTimeCodeRow.provider) == bindparam("provider"),
    col(OneTimeCodeRow.provider_ref) == bindparam("provider_ref"),
)
_TAKE_TO_SEND = (
    update(OneTimeCodeRow)
    .where(
        col(OneTimeCodeRow.id) == bindparam("code_id"),
        col(OneTimeCodeRow.attempts) == bindparam("attempts_read"),
        col(OneTimeCodeRow.replaced_at).is_(None),
        col(OneTimeCodeRow.provider_ref) == "",
    )
    .values(
        delivery=bindparam("sending"),
        provider=bindparam("by_provider"),
        attempts=col(OneTimeCodeRow.attempts) + 1,
        due_at=bindparam("lease_until"),
    )
    .returning(col(OneTimeCodeRow.id))
    .execution_options(**UNSYNCHRONISED)
)
_SET_DUE = (
    update(OneTimeCodeRow)
    .where(col(OneTimeCodeRow.id) == bindparam("code_id"))
    .values(due_at=bindparam("next_look"), attempts=col(OneTimeCodeRow.attempts) + 1)
    .execution_options(**UNSYNCHRONISED)
)

_WAITING = select(func.count(), func.min(OneTimeCodeRow.due_at)).where(col(OneTimeCodeRow.due_at) <= _NOW)


def waiting(session: Session, now: datetime) -> tuple[int, datetime | None]:
    """How many codes are due to be sent or checked, and since when the longest waiting one waits (UTC). None when none does."""
    count, oldest = session.exec(_WAITING, params={"now": now}).one()
    return count, oldest


def newest_of_flow(session: Session, flow_id: str) -> OneTimeCodeRow | None:
    """The last code issued for this flow."""
    return session.exec(_NEWEST_OF_FLOW, params={"flow_id": flow_id}).first()


def last_to_phone(session: Session, phone: str, count: int) -> tuple[PastCode, ...]:
    """The last `count` codes issued to this number by any browser, the newest first."""
    session.flush()  # the caller may have issued one just now
    rows = session.connection().execute(_LAST_TO_PHONE, {"phone": phone, "limit": count}).all()
    return tuple(PastCode(*row) for row in rows)


def signs_on_phone(session: Session, phone: str, code_id: str, since: datetime) -> tuple[int, datetime | None]:
    """How many wrong guesses were made at codes issued to this number after `since` (UTC), and until when the circuit breaker is or was
    open (UTC).

    Only guesses at codes that were never confirmed, and at the code `code_id`, count. The owner's typing errors before a right code do not
    count against the next one.
    """
    params = {"phone": phone, "code_id": code_id, "since": since}
    misses, open_until = session.exec(_SIGNS_ON_PHONE, params=params).one()
    return int(misses), open_until


def hold_phone(session: Session, phone: str) -> None:
    """Let one transaction at a time work on the codes to one number, until it ends.

    SQLite has one writer anyway. Without this, two transactions that begin together on PostgreSQL would each issue a live code.
    """
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.blake2b(phone.encode(), digest_size=8).digest(), signed=True)
        session.exec(_HOLD, params={"number": number})


def kill_live(session: Session, phone: str, now: datetime, *, flow_id: str, but_ways: tuple[str, ...]) -> None:
    """End every code to this number that might still be accepted. Unsent ones will not be sent. Codes of other flows by a way in `but_ways`
    live on."""
    session.exec(_KILL_LIVE, params={"of_phone": phone, "now": now, "of_flow": flow_id, "but_ways": but_ways})


def judge(
    session: Session,
    code_id: str,
    digest: str,
    guesses: int,
    now: datetime,
    *,
    sources: tuple[str, ...] = (),
    target: str = "",
    next_look: datetime | None = None,
) -> Verdict | None:
    """Judge one guess in one atomic statement. None when the code can no longer be guessed.

    A right guess shows that the code has reached its reader. So its delivery state becomes `target` if it was one of `sources`, and the
    code is due at `next_look` (UTC; None: never).

    Never read first and write afterwards: of a hundred simultaneous guesses exactly `guesses` are judged.
    """
    params = {"code_id": code_id, "typed_digest": digest, "guesses": guesses, "now": now}
    params |= {"sources": sources, "target": target, "next_look": next_look}
    row: OneTimeCodeRow | None = session.exec(_JUDGE, params=params).scalar_one_or_none()
    return None if row is None else Verdict(right=row.confirmed_at is not None, misses=row.misses, row=row)


def tell_of_older(session: Session, flow_id: str, digest: str, most: int) -> bool:
    """Whether this is the digest of an older code of the flow that a later one replaced, if the flow was told so fewer than `most` times.
    If so, this counts as told. Each telling is one atomic statement: of many at once no more than `most` count."""
    codes = session.exec(_OF_FLOW, params={"flow_id": flow_id}).all()
    if not any(older == digest and replaced_at is not None for _, older, replaced_at in codes):
        return False
    return session.exec(_TELL, params={"code_id": codes[0][0], "most": most}).first() is not None


def due(
    session: Session, now: datetime, channel: str, states: tuple[str, ...], skip: tuple[str, ...], limit: int
) -> Sequence[OneTimeCodeRow]:
    """Codes of one way in these delivery states that must be looked at now, oldest first, without those in `skip`."""
    params = {"now": now, "channel": channel, "states": states, "skip": skip, "limit": limit}
    return session.exec(_DUE, params=params).all()


def set_delivery(session: Session, code_id: str, sources: tuple[str, ...], target: str, **facts: Any) -> bool:
    """Change the delivery state if it is one of `sources`. Returns whether it was."""
    params = {"code_id": code_id, "sources": sources, "target": target, **new_values(facts)}
    return session.exec(_delivery_with(tuple(facts)), params=params).first() is not None


@cache  # callers use few different sets of facts
def _delivery_with(facts: tuple[str, ...]) -> ReturningUpdate[str]:
    return (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.id) == bindparam("code_id"),
            col(OneTimeCodeRow.delivery).in_(bindparam("sources", expanding=True)),
        )
        .values(delivery=bindparam("target"), **new_facts(facts))
        .returning(col(OneTimeCodeRow.id))
        .execution_options(**UNSYNCHRONISED)
    )


def by_provider_ref(session: Session, provider: str, provider_ref: str) -> OneTimeCodeRow | None:
    """The code a provider's report is about."""
    return session.exec(_BY_PROVIDER_REF, params={"provider": provider, "provider_ref": provider_ref}).first()


def take_to_send(
    session: Session, code_id: str, attempts: int, sending: str, provider: str, lease_until: datetime
) -> bool:
    """Claim a code for one attempt to send it, until `lease_until` (UTC). Returns whether it was claimed.

    It is not claimed when another process was quicker (`attempts` has changed since it was read), when a newer code has replaced it, or
    when a provider has accepted it. `sending` is the delivery state that a claimed code gets.
    """
    params = {
        "code_id": code_id,
        "attempts_read": attempts,
        "sending": sending,
        "by_provider": provider,
        "lease_until": lease_until,
    }
    return session.exec(_TAKE_TO_SEND, params=params).first() is not None


def set_due(session: Session, code_id: str, due_at: datetime | None) -> None:
    """Set when to look at the code again (UTC, None for never), and count the look."""
    session.exec(_SET_DUE, params={"code_id": code_id, "next_look": due_at})


def all_due(session: Session, now: datetime, skip: tuple[str, ...], limit: int) -> Sequence[OneTimeCodeRow]:
    """Like `due`, for every way and every delivery state."""
    return session.exec(_ALL_DUE, params={"now": now, "skip": skip, "limit": limit}).all()
