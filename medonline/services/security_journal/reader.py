"""Lets a patient read their own part of the security journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from medonline.domain.security_journal import JournalEvent, details_of
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.security_journal.refusals import RefusedSignIns
from medonline.storage.engine import Database, reads
from medonline.storage.queries import security_journal
from medonline.storage.queries.security_journal import About, Run

PAGE = 30
# One load reads at most this many rows, so that rows caused by a stranger cannot make it slow.
SCAN = 1000
SCANS = 5
# Events that a stranger can cause again and again.
_FOLDED = frozenset(
    {
        JournalEvent.CODE_ASKED,
        JournalEvent.CODE_REFUSED,
        JournalEvent.SIGN_IN_REFUSED,
        JournalEvent.CARD_ACCESS_ASKED,
    }
)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A row for its patient, or `times` equal rows in a run. In a run, `number` is the oldest row's own and `at` (UTC) is the newest one's.

    `network` is cut to /24 or /48. `own`: the row names the patient, not only the phone.
    """

    number: int
    at: datetime
    event: JournalEvent
    device: str
    network: str
    phone_tail: str
    details: dict[str, str | int]
    own: bool = True
    times: int = 1


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Rows, the newest first; `more` says that older ones follow."""

    rows: tuple[JournalRow, ...]
    more: bool


class Owner(Protocol):
    """The patient to whom a session belongs."""

    @property
    def patient_id(self) -> str:
        """The key of the patient's row."""


class LiveSessions(Protocol):
    """What the journal needs to know of sessions. They are above it in the layers, because signing in writes the journal."""

    async def required(self, session_key: str) -> Owner:
        """The patient of this session. Raises `NotSignedIn`."""


@dataclass(frozen=True, slots=True)
class JournalReader:
    """The use case. `session_key` names the signed-in browser."""

    database: Database
    sessions: LiveSessions
    phones: Sealer
    refusals: RefusedSignIns

    async def mine(self, session_key: str, before: int = 0) -> JournalPage:
        """The patient's own part, with numbers below `before` (0: from the newest).

        Rows that name no patient but the phone (codes asked for, wrong passwords) are shown from the row on by which the phone became
        theirs. Equal rows that follow each other are shown as one: a person who tries passwords all night must not bury what matters. A run
        that is too long for one load continues as a row of its own in the next load.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        about = await self.database.read(security_journal.about, me.patient_id, self.phones)
        # Write the counts that are not in the journal yet.
        await self.refusals.flush(me.patient_id, about.phone_indexes)
        return await self._page(about, before)

    @reads
    def _page(self, session: Session, about: About, before: int) -> JournalPage:
        folded: list[JournalRow] = []
        upper = before if before > 0 else security_journal.head(session).seq + 1
        for _ in range(SCANS):
            runs, more = security_journal.runs_of_patient(session, about, upper, SCAN, PAGE + 1, _FOLDED)
            for run in runs:
                if not _folded(folded, run):
                    if len(folded) == PAGE:
                        return JournalPage(tuple(folded), more=True)
                    folded.append(_shown(run))
            if not more:
                return JournalPage(tuple(folded), more=False)
            upper = runs[-1].oldest
        return JournalPage(tuple(folded), more=True)


def _shown(run: Run) -> JournalRow:
    details = details_of(run.details)
    device, times = str(details.pop("device", "")), int(details.pop("times", 1))
    event = JournalEvent(run.event) if run.event in tuple(JournalEvent) else JournalEvent.OTHER
    own = run.patient_id != ""
    return JournalRow(
        run.oldest, run.at, event, device, run.network, run.phone_tail, details, own, times=times * run.rows
    )


def _folded(rows: list[JournalRow], run: Run) -> bool:
    """Add the run to the last row, if it continues that row's run. Their counts may differ, or a scan may have ended between them."""
    if not rows or run.event not in _FOLDED:
        return False
    last, new = rows[-1], _shown(run)
    if replace(new, number=last.number, at=last.at, times=last.times) != last:
        return False
    rows[-1] = replace(last, number=new.number, times=last.times + new.times)
    return True
