"""Statements about calls that patients make: a row of `one_time_code` waits for one, and nothing is typed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select, update

from medonline.domain.codes.channels import CALLED
from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.codes import OneTimeCodeRow

_OPEN = (col(OneTimeCodeRow.confirmed_at).is_(None), col(OneTimeCodeRow.replaced_at).is_(None))


def awaited_elsewhere(session: Session, phone: str, flow_id: str, failed: str, now: datetime) -> datetime | None:
    """Until when (UTC) another flow waits for a call from this number (E.164). None when none does. `failed` is the delivery state of a
    code that nobody waits for."""
    statement = (
        select(OneTimeCodeRow.expires_at)
        .where(
            col(OneTimeCodeRow.phone) == phone,
            col(OneTimeCodeRow.channel).in_(CALLED),
            col(OneTimeCodeRow.flow_id) != flow_id,
            col(OneTimeCodeRow.expires_at) > now,
            col(OneTimeCodeRow.delivery) != failed,
            *_OPEN,
        )
        .order_by(col(OneTimeCodeRow.expires_at).desc())
        .limit(1)
    )
    return session.exec(statement).first()


def end_of_flow(session: Session, flow_id: str, now: datetime) -> None:
    """The flow stops waiting for a call (UTC)."""
    statement = (
        update(OneTimeCodeRow)
        .where(col(OneTimeCodeRow.flow_id) == flow_id, col(OneTimeCodeRow.channel).in_(CALLED), *_OPEN)
        .values(replaced_at=now)
        .execution_options(**UNSYNCHRONISED)
    )
    session.exec(statement)


def take(session: Session, code_id: str, delivery: str, now: datetime) -> OneTimeCodeRow | None:
    """Use up the call that came (its row is in this delivery state) in one atomic statement. None when there is none to use."""
    statement = (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.id) == code_id,
            col(OneTimeCodeRow.channel).in_(CALLED),
            col(OneTimeCodeRow.delivery) == delivery,
            col(OneTimeCodeRow.expires_at) > now,
            *_OPEN,
        )
        .values(confirmed_at=now, due_at=None)
        .returning(OneTimeCodeRow)
        .execution_options(**UNSYNCHRONISED, populate_existing=True)
    )
    row: OneTimeCodeRow | None = session.exec(statement).scalar_one_or_none()
    return row


def ask_at(session: Session, code_id: str, delivery: str, due_at: datetime) -> bool:
    """Plan to ask the vendor at this moment (UTC) whether the call came, unless that is planned already. Returns whether it now is."""
    statement = (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.id) == code_id,
            col(OneTimeCodeRow.delivery) == delivery,
            col(OneTimeCodeRow.due_at).is_(None),
            *_OPEN,
        )
        .values(due_at=due_at)
        .returning(col(OneTimeCodeRow.id))
        .execution_options(**UNSYNCHRONISED)
    )
    return session.exec(statement).first() is not None


def hasten(session: Session, provider: str, provider_ref: str, delivery: str, now: datetime) -> bool:
    """Plan to ask a vendor now (UTC) about the pending call with this reference. Returns whether there is one."""
    statement = (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.provider) == provider,
            col(OneTimeCodeRow.provider_ref) == provider_ref,
            col(OneTimeCodeRow.delivery) == delivery,
            col(OneTimeCodeRow.expires_at) > now,
            *_OPEN,
        )
        .values(due_at=now)
        .returning(col(OneTimeCodeRow.id))
        .execution_options(**UNSYNCHRONISED)
    )
    return session.exec(statement).first() is not None


def waiting(session: Session, code_id: str, delivery: str, now: datetime) -> OneTimeCodeRow | None:
    """The row with this id, while it waits (UTC) for a call in this delivery state."""
    statement = select(OneTimeCodeRow).where(
        col(OneTimeCodeRow.id) == code_id,
        col(OneTimeCodeRow.channel).in_(CALLED),
        col(OneTimeCodeRow.delivery) == delivery,
        col(OneTimeCodeRow.expires_at) > now,
        *_OPEN,
    )
    return session.exec(statement).first()
