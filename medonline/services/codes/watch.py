"""When a screen that follows a code reads the record again: after a change, at a moment of the clock, or to be sure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from medonline.storage.changes import LOST_AFTER, Changes, Ear

# A change between the first look and the first wait is not heard, so the first wait is short.
FIRST_WAIT = timedelta(seconds=1)


class Followed(Protocol):
    """What a screen shows and follows."""

    @property
    def topic(self) -> str:
        """The topic that is announced when the record changes."""

    def next_change(self, now: datetime) -> datetime | None:
        """The next moment (UTC) at which it changes by the clock alone."""


class CodeWatch:
    """The pauses of one screen between its looks. Close it after use."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._ear: Ear | None = None

    async def until_next_look(self, view: Followed, now: datetime) -> None:
        """Wait after a look that returned this view at `now` (UTC)."""
        at_most = LOST_AFTER
        if self._ear is None or self._ear.topic != view.topic:
            self.close()
            self._ear, at_most = self._changes.listen(view.topic), FIRST_WAIT
        by_clock = view.next_change(now)
        await self._ear.wait(at_most if by_clock is None else min(by_clock - now, at_most))

    def begin_look(self) -> None:
        """Call this before reading the record: the look then sees every change that was heard before."""
        if self._ear is not None:
            self._ear.forget()

    @property
    def is_behind(self) -> bool:
        """Whether the record has changed since the last look began."""
        return self._ear is not None and self._ear.has_heard

    def close(self) -> None:
        """Stop listening."""
        if self._ear is not None:
            self._ear.close()
            self._ear = None
