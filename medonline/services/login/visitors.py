"""The name of a browser (the visitor cookie), and the records that depend on it.

The name changes on the way to Gosuslugi, at a sign-in and at a sign-out. So a person who copied it before, or uses the same browser
afterwards, finds nothing of the patient under it: neither a recovery nor a pending answer.
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
    """Move the records of the same person to the browser's new name, in the caller's transaction: their recovery and their pending answers.

    Journeys do not move: the caller replaces them.
    """
    password_recoveries.rename_visitor(session, visitor_key, next_key, but=RecoveryStep.ABANDONED)
    gosuslugi.rename_visitor(session, visitor_key, next_key)
    gosuslugi.forget_journeys_of(session, visitor_key)


@dataclass(frozen=True, slots=True)
class VisitorService:
    """The use case; a visitor key is the hash of the cookie's token."""

    database: Database
    clock: Clock

    async def leave(self, visitor_key: str) -> None:
        """End everything that was begun in this browser, because another person may use it from now on. A second call changes nothing."""
        # Anybody may ask for this: a browser that has nothing costs no lock.
        if visitor_key and await self._has_anything(visitor_key):
            await self._end_all(visitor_key)

    def leave_recoveries(self, session: Session, visitor_key: str, now: datetime) -> bool:
        """The part of `leave` that a sign-in does in its own transaction. Returns whether the rest must follow after that transaction.

        A pending answer must be locked before any patient (lock order: `storage.engine`), so it cannot be ended here.
        """
        password_recoveries.leave_all_of_visitor(session, visitor_key, _OPEN, RecoveryStep.ABANDONED, now)
        return gosuslugi.has_anything(session, visitor_key)

    async def close_pages(self, visitor_key: str) -> None:
        """Close the pages that are open under this key. They reconnect under the browser's new key.

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
