"""The name of a browser (the visitor cookie), and what hangs on it.

The name changes on the way to Gosuslugi, at a sign-in and at a sign-out. So a person who copied it before, or sits down at the
same browser after, finds nothing of the person under it: neither a recovery nor who waits for an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, source_of
from medonline.services.clock import Clock
from medonline.storage.changes import Ear, visitor_topic
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import gosuslugi
from medonline.storage.queries import password_recovery as password_recoveries

_OPEN = source_of(RecoveryMove.ABANDON)


def carry(session: Session, visitor_key: str, next_key: str) -> None:
    """The same person goes on under another name, in the caller's transaction: their recovery and what they have to answer
    go along. Journeys do not: the caller replaces them."""
    password_recoveries.rename_visitor(session, visitor_key, next_key, but=RecoveryStep.ABANDONED)
    gosuslugi.rename_visitor(session, visitor_key, next_key)
    gosuslugi.forget_journeys_of(session, visitor_key)


@dataclass(frozen=True, slots=True)
class VisitorService:
    """The use case; a visitor key is the hash of the cookie's token."""

    database: Database
    clock: Clock

    async def leave(self, visitor_key: str) -> None:
        """End what was begun in this browser: another person may use it from now on. A second call changes nothing."""
        # Anybody may ask for this: where nothing is, it costs no lock.
        if visitor_key and await self._has_anything(visitor_key):
            await self._end_all(visitor_key)

    def leave_recoveries(self, session: Session, visitor_key: str, now: datetime) -> bool:
        """The part of `leave` that a sign-in's own transaction does; whether the rest is to be done after it. Who waits for an
        answer is locked before any patient (lock order: `storage.engine`), so not here."""
        password_recoveries.leave_all_of_visitor(session, visitor_key, _OPEN, RecoveryStep.ABANDONED, now)
        return gosuslugi.has_anything(session, visitor_key)

    async def close_pages(self, visitor_key: str) -> None:
        """Close the pages that are open under this key; they reconnect under the browser's new one.

        Call it after the browser has its new cookie: a page that reconnects sooner does so under the old key.
        """
        if visitor_key:
            await self.database.tell(visitor_topic(visitor_key))

    def when_renamed(self, visitor_key: str, act: Callable[[], None]) -> Ear:
        """Call `act` on the event loop when any process calls `close_pages` for this key, until the returned ear is closed."""
        return self.database.changes.follow(visitor_topic(visitor_key), act)

    @writes
    def _end_all(self, session: Session, visitor_key: str) -> None:
        password_recoveries.leave_all_of_visitor(session, visitor_key, _OPEN, RecoveryStep.ABANDONED, self.clock())
        gosuslugi.forget_pending(session, visitor_key)
        gosuslugi.forget_journeys_of(session, visitor_key)

    @reads
    def _has_anything(self, session: Session, visitor_key: str) -> bool:
        waiting = gosuslugi.has_anything(session, visitor_key)
        return waiting or password_recoveries.has_open(session, visitor_key, _OPEN)
