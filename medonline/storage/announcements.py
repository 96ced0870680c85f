"""How PostgreSQL carries what a transaction announces to the other processes: LISTEN and NOTIFY (docs/decisions/0021).

An announcement is a statement of the transaction itself: PostgreSQL passes it to the listeners when the transaction has
committed, and to nobody when it is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import bindparam, func, select
from sqlmodel import Session

CHANNEL = "medonline_changes"
MAX_PAYLOAD = 7_900  # bytes; PostgreSQL refuses 8 000

_SEND = select(func.pg_notify(CHANNEL, bindparam("payload")))


def send_with_commit(session: Session, process: str, names: Iterable[str]) -> None:
    """Announce the topics with these names (ASCII, no spaces, up to 100 characters each) when the transaction commits.

    Danger: from here to the end of its commit the transaction holds a lock that every other announcing transaction waits for.
    So this is its last statement.
    """
    for payload in _payloads(process, names):
        session.connection().execute(_SEND, {"payload": payload})


def names_from_others(payload: str, process: str) -> list[str]:
    """The names in a payload that another process sent. Empty when this process sent it, because its own ears have heard them already."""
    sender, *names = payload.split()
    return [] if sender == process else names


def _payloads(process: str, names: Iterable[str]) -> Iterator[str]:
    payload = process
    for name in names:
        if len(payload) + len(name) >= MAX_PAYLOAD:
            yield payload
            payload = process
        payload += f" {name}"
    yield payload
