"""Questions about one-time codes and their delivery."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, func, literal, or_
from sqlmodel import Session, col, select, update

from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.columns import UtcDateTime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judged guess came to."""

    right: bool
    misses: int


@dataclass(frozen=True, slots=True)
class PastCode:
    """What the rules for the next code ask of one that was issued (UTC). `replaced`: a later one took its place."""

    issued_at: datetime
    channel: str
    delivery: str
    replaced: bool


# The newest first. Each next code replaces the one before; times alone would err after the clock was set back.
_NEWEST = (col(OneTimeCodeRow.replaced_at).is_not(None), col(OneTimeCodeRow.issued_at).desc())


def newest_of_flow(session: Session, flow_id: str) -> OneTimeCodeRow | None:
    """The last code issued for this flow."""
    statement = (
        select(OneTimeCodeRow)
        .where(OneTimeCodeRow.flow_id == flow_id)
        .order_by(*_NEWEST)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).first()


def last_to_phone(session: Session, phone: str, count: int) -> tuple[PastCode, ...]:
    """The last `count` codes issued to this number by any browser, the newest first."""
    statement = (
        select(
            OneTimeCodeRow.issued_at,
            OneTimeCodeRow.channel,
            OneTimeCodeRow.delivery,
            col(OneTimeCodeRow.replaced_at).is_not(None),
        )
        .where(OneTimeCodeRow.phone == phone)
        .order_by(col(OneTimeCodeRow.issued_at).desc())
        .limit(count)
    )
    return tuple(PastCode(*row) for row in session.exec(statement).all())


def misses_on_phone(session: Session, phone: str, code_id: str, since: datetime) -> int:
    """Wrong guesses at codes issued to this number after `since` (UTC): at those never confirmed, and at the code `code_id`.

    What its owner mistyped before a right code does not count against the next one.
    """
    statement = select(func.coalesce(func.sum(OneTimeCodeRow.misses), 0)).where(
        OneTimeCodeRow.phone == phone,
        col(OneTimeCodeRow.issued_at) > since,
        or_(col(OneTimeCodeRow.confirmed_at).is_(None), col(OneTimeCodeRow.id) == code_id),
    )
    return int(session.exec(statement).one())


def hold_phone(session: Session, phone: str) -> None:
    """Of transactions about codes to one number, one goes on at a time, until it ends.

    SQLite has one writer anyway. Without this PostgreSQL lets two that began together each issue a live code.
    """
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.blake2b(phone.encode(), digest_size=8).digest(), signed=True)
        session.exec(select(func.pg_advisory_xact_lock(number)))


def kill_live(session: Session, phone: str, now: datetime) -> None:
    """End every code to this number that might still be accepted; unsent ones will not be sent."""
    session.exec(
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.phone) == phone,
            col(OneTimeCodeRow.confirmed_at).is_(None),
            col(OneTimeCodeRow.replaced_at).is_(None),
        )
        .values(replaced_at=now)
    )


def judge(session: Session, code_id: str, digest: str, guesses: int, now: datetime) -> Verdict | None:
    """Judge one guess in one atomic statement; None when the code is past being guessed.

    Never read first and write afterwards: of a hundred guesses at the same moment exactly `guesses` are judged.
    """
    right = col(OneTimeCodeRow.digest) == digest
    statement = (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.id) == code_id,
            col(OneTimeCodeRow.misses) < guesses,
            col(OneTimeCodeRow.expires_at) > now,
            col(OneTimeCodeRow.confirmed_at).is_(None),
            col(OneTimeCodeRow.replaced_at).is_(None),
        )
        .values(
            misses=col(OneTimeCodeRow.misses) + case((right, 0), else_=1),
            confirmed_at=case((right, literal(now, UtcDateTime())), else_=None),
        )
        .returning(col(OneTimeCodeRow.confirmed_at), col(OneTimeCodeRow.misses))
    )
    row = session.exec(statement).first()
    return None if row is None else Verdict(right=row[0] is not None, misses=row[1])


def due(
    session: Session, now: datetime, channel: str, states: tuple[str, ...], skip: tuple[str, ...], limit: int
) -> Sequence[OneTimeCodeRow]:
    """Codes of one way and in these delivery states that are to be looked at now, oldest first, without those to skip."""
    statement = (
        select(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.due_at) <= now,
            OneTimeCodeRow.channel == channel,
            col(OneTimeCodeRow.delivery).in_(states),
            col(OneTimeCodeRow.id).not_in(skip),
        )
        .order_by(col(OneTimeCodeRow.due_at))
        .limit(limit)
    )
    return session.exec(statement).all()


def put_delivery(session: Session, code_id: str, sources: tuple[str, ...], target: str, **facts: Any) -> bool:
    """Change the delivery state if it is one of `sources`; whether it was."""
    statement = (
        update(OneTimeCodeRow)
        .where(col(OneTimeCodeRow.id) == code_id, col(OneTimeCodeRow.delivery).in_(sources))
        .values(delivery=target, **facts)
        .returning(col(OneTimeCodeRow.id))
    )
    return session.exec(statement).first() is not None


def put_arrived(session: Session, code_id: str, sources: tuple[str, ...], target: str, now: datetime) -> OneTimeCodeRow:
    """The code has reached its reader: its delivery is `target` if it was one of `sources`, and it is due for a look.

    The row as it is now, in the session too.
    """
    on_its_way = col(OneTimeCodeRow.delivery).in_(sources)
    statement = (
        update(OneTimeCodeRow)
        .where(col(OneTimeCodeRow.id) == code_id)
        .values(
            delivery=case((on_its_way, target), else_=col(OneTimeCodeRow.delivery)),
            due_at=now,
            attempts=col(OneTimeCodeRow.attempts) + 1,
        )
        .returning(OneTimeCodeRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    row: OneTimeCodeRow = session.exec(statement).scalar_one()
    return row


def by_provider_ref(session: Session, provider: str, provider_ref: str) -> OneTimeCodeRow | None:
    """The code a provider's report is about."""
    statement = select(OneTimeCodeRow).where(
        OneTimeCodeRow.provider == provider, OneTimeCodeRow.provider_ref == provider_ref
    )
    return session.exec(statement).first()


def take_to_send(
    session: Session, code_id: str, attempts: int, sending: str, provider: str, lease_until: datetime
) -> bool:
    """Lease a code that nobody took since it was read with this count of attempts; whether it is ours now."""
    statement = (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.id) == code_id,
            col(OneTimeCodeRow.attempts) == attempts,
            col(OneTimeCodeRow.replaced_at).is_(None),
            col(OneTimeCodeRow.provider_ref) == "",
        )
        .values(delivery=sending, provider=provider, attempts=attempts + 1, due_at=lease_until)
        .returning(col(OneTimeCodeRow.id))
    )
    return session.exec(statement).first() is not None


def put_due(session: Session, code_id: str, due_at: datetime | None) -> None:
    """When to look at the code again (UTC), None for never; counts the look."""
    session.exec(
        update(OneTimeCodeRow)
        .where(col(OneTimeCodeRow.id) == code_id)
        .values(due_at=due_at, attempts=col(OneTimeCodeRow.attempts) + 1)
    )


_KINDS_DUE = (
    select(OneTimeCodeRow.channel, OneTimeCodeRow.delivery)
    .where(
        col(OneTimeCodeRow.due_at) <= bindparam("now"), col(OneTimeCodeRow.id).not_in(bindparam("skip", expanding=True))
    )
    .distinct()
)


def kinds_due(session: Session, now: datetime, skip: tuple[str, ...]) -> set[tuple[str, str]]:
    """Way and delivery state of the codes that are to be looked at now, without those to skip."""
    found = session.exec(_KINDS_DUE, params={"now": now, "skip": skip}).all()
    return {(channel, delivery) for channel, delivery in found}
