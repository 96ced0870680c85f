"""Statements about codes that are awaited in a chat with a bot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select, update

from medonline.storage.queries.codes import NEWEST
from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.codes import OneTimeCodeRow

FORGOTTEN = "-"  # not a hash: the chat was ended, and its link opens no other one
_AWAITED = (
    col(OneTimeCodeRow.due_at).is_(None),
    col(OneTimeCodeRow.replaced_at).is_(None),
    col(OneTimeCodeRow.confirmed_at).is_(None),
)


def take_start(
    session: Session, code_id: str, user: str, delivery: str, now: datetime, since: datetime
) -> OneTimeCodeRow | None:
    """Claim for a user's chat the code that was requested after `since` (UTC) and waits in this delivery state. None when no code waits, or
    when another chat was first."""
    statement = (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.id) == code_id,
            col(OneTimeCodeRow.chat_user) == "",
            col(OneTimeCodeRow.delivery) == delivery,
            col(OneTimeCodeRow.issued_at) > since,
            col(OneTimeCodeRow.expires_at) > now,
            *_AWAITED,
        )
        .values(chat_user=user)
        .returning(OneTimeCodeRow)
        .execution_options(**UNSYNCHRONISED, populate_existing=True)
    )
    row: OneTimeCodeRow | None = session.exec(statement).scalar_one_or_none()
    return row


def begun(session: Session, code_id: str, users: Sequence[str], failed: str, now: datetime) -> OneTimeCodeRow | None:
    """The code whose chat was begun by the user with one of these hashes. None if it is replaced, expired (UTC), or in the delivery state
    `failed`."""
    statement = select(OneTimeCodeRow).where(
        col(OneTimeCodeRow.id) == code_id,
        col(OneTimeCodeRow.chat_user).in_(users),
        col(OneTimeCodeRow.replaced_at).is_(None),
        col(OneTimeCodeRow.delivery) != failed,
        col(OneTimeCodeRow.expires_at) > now,
    )
    return session.exec(statement.execution_options(populate_existing=True)).first()


def newest_of_user(session: Session, users: Sequence[str], phone: str) -> OneTimeCodeRow | None:
    """The last code to a number whose chat was begun by the user with one of these hashes."""
    statement = select(OneTimeCodeRow).where(
        col(OneTimeCodeRow.chat_user).in_(users), col(OneTimeCodeRow.phone) == phone
    )
    return session.exec(statement.order_by(*NEWEST).limit(1).execution_options(populate_existing=True)).first()


def awaited_of_user(session: Session, users: Sequence[str], delivery: str) -> Sequence[OneTimeCodeRow]:
    """The codes in this delivery state that wait for the contact in a chat begun by the user with one of these hashes."""
    statement = select(OneTimeCodeRow).where(
        col(OneTimeCodeRow.chat_user).in_(users), col(OneTimeCodeRow.delivery) == delivery, *_AWAITED
    )
    return session.exec(statement).all()


def awaited(session: Session, delivery: str, now: datetime, since: datetime) -> Sequence[OneTimeCodeRow]:
    """The codes in this delivery state that wait for a chat, or for a contact in it, and have not expired. `since` (UTC): the earliest time
    at which one of them can have been requested; it lets the query use an index."""
    statement = select(OneTimeCodeRow).where(
        col(OneTimeCodeRow.issued_at) > since,
        col(OneTimeCodeRow.delivery) == delivery,
        col(OneTimeCodeRow.expires_at) > now,
        *_AWAITED,
    )
    return session.exec(statement).all()


def is_heard_since(session: Session, since: datetime) -> bool:
    """Whether somebody opened a chat for a code that was requested after `since` (UTC)."""
    statement = select(OneTimeCodeRow.id).where(
        col(OneTimeCodeRow.issued_at) > since, col(OneTimeCodeRow.chat_user) != ""
    )
    return session.exec(statement.limit(1)).first() is not None


def set_chat(session: Session, code_id: str, chat_id: int, delivery: str, now: datetime) -> bool:
    """Queue a code to be sent into this chat now (UTC), if it still waits in this delivery state. Returns whether it did."""
    statement = (
        update(OneTimeCodeRow)
        .where(
            col(OneTimeCodeRow.id) == code_id,
            col(OneTimeCodeRow.delivery) == delivery,
            col(OneTimeCodeRow.expires_at) > now,
            *_AWAITED,
        )
        .values(chat_id=chat_id, due_at=now)
        .returning(col(OneTimeCodeRow.id))
        .execution_options(**UNSYNCHRONISED)
    )
    return session.exec(statement).first() is not None


def forget_user(session: Session, users: Sequence[str]) -> None:
    """Delete every trace of the user with one of these hashes and of their chat."""
    statement = (
        update(OneTimeCodeRow)
        .where(col(OneTimeCodeRow.chat_user).in_(users))
        .values(chat_user=FORGOTTEN, chat_id=None)
        .execution_options(**UNSYNCHRONISED)
    )
    session.exec(statement)
