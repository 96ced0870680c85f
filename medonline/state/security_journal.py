"""«Журнал»: what happened to the account, in plain Russian, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import NotSignedIn
from medonline.services.security_journal.reader import JournalRow
from medonline.state.account import AccountState
from medonline.state.input import visitor_of
from medonline.wording.limits import day
from medonline.wording.security_journal import how_long_kept, is_noteworthy, network_words, sentence_of

MAX_SHOWN = 300  # rows that a tab keeps at most; the whole journal is available on request


@dataclass(frozen=True)
class JournalScreen:
    """A row in words."""

    number: int = 0
    day: str = ""
    clock: str = ""
    text: str = ""
    where: str = ""
    noteworthy: bool = False


@dataclass(frozen=True)
class JournalDay:
    """A day and its rows."""

    name: str
    rows: list[JournalScreen]


class JournalState(rx.State):
    """A cache of the record for the screen, rebuilt by `load`."""

    ready: bool = False
    rows: list[JournalScreen] = []
    days: list[JournalDay] = []
    more: bool = False
    full: bool = False
    kept_for: str = ""

    @rx.event
    async def load(self) -> Any:
        """Show the newest rows."""
        self.ready, self.rows, self.days, self.more, self.full = False, [], [], False, False
        self.kept_for = how_long_kept(portal().config.retention_journal)
        return await self._add()

    @rx.event
    async def show_more(self) -> Any:
        """Add older rows below the shown ones. The button exists only while there are any, but a client may call this at any time."""
        if not self.more or len(self.rows) >= MAX_SHOWN:
            return AccountState.require_session
        return await self._add()

    async def _add(self) -> Any:
        before = self.rows[-1].number if self.rows else 0
        try:
            page = await portal().journal.mine(visitor_of(self).session_key, before)
        except NotSignedIn:
            self.rows, self.days = [], []
            return AccountState.require_session
        self.rows = [*self.rows, *map(_screen, page.rows)]
        self.days = [JournalDay(name, list(rows)) for name, rows in groupby(self.rows, lambda row: row.day)]
        self.full = page.more and len(self.rows) >= MAX_SHOWN
        self.more = page.more and not self.full
        self.ready = True
        return AccountState.require_session


def _screen(row: JournalRow) -> JournalScreen:
    return JournalScreen(
        number=row.number,
        day=day(row.at, portal().config.zone),
        clock=f"{row.at.astimezone(portal().config.zone):%H:%M}",
        text=sentence_of(row),
        where=", ".join(filter(None, (row.device, network_words(row.network)))),
        noteworthy=is_noteworthy(row),
    )
