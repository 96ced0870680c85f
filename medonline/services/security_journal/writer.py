"""The security journal: what happened to an account is written in the transaction in which it happens (I5).

Rows are chained: each holds an HMAC over itself and the hash of the row before, under a key that the database does not
hold. Triggers forbid to change or delete a row; anyone who gets around them breaks the chain (docs/decisions/0012).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlmodel import Session

from medonline.domain.device import UNKNOWN_DEVICE, Device
from medonline.domain.security_journal import JournalEvent, JournalLine, Operator, details_text
from medonline.metrics import names as metrics
from medonline.services.clock import Clock
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.security_journal.chain import JournalChain
from medonline.storage.engine import after_commit, at_the_end
from medonline.storage.queries import security_journal
from medonline.storage.queries.security_journal import Head

_NOTES = "security_journal"
_Place = tuple[Head, str]  # the row to follow, and the id of the key that makes the next one


@dataclass(frozen=True, slots=True)
class JournalNote:
    """What is to be written down.

    Attributes:
        patient_id: empty before anybody has proved to be the patient; then `phone` alone says whom it is about.
        phone: E.164; kept as an HMAC and two digits.
        device: where it came from; only its network where no browser is known.
        details: short texts and numbers; never a code, a password, a token or a whole phone.
    """

    event: JournalEvent
    patient_id: str = ""
    phone: str = ""
    device: Device = UNKNOWN_DEVICE
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SecurityJournal:
    """`chain` makes the hashes, `phones` the indexes of phones. `operator`: whose command this process is, where it is one."""

    clock: Clock
    phones: Sealer
    chain: JournalChain
    operator: Operator | None = None
    _last: deque[_Place] = field(
        default_factory=partial(deque, maxlen=1)
    )  # the row written last, which may be the last no more

    def note(self, session: Session, *notes: JournalNote) -> None:
        """Write these rows when the caller's transaction commits, and only then.

        At the commit JournalKeyUnknown is raised, and nothing is committed, where this process has no key that may follow.
        """
        if notes:
            session.info.setdefault(_NOTES, []).extend(notes)
            at_the_end(session, _NOTES, self._write)

    def _write(self, session: Session) -> None:
        notes: list[JournalNote] = session.info.pop(_NOTES)
        session.flush()
        security_journal.hold(session)
        now = self.clock()
        alone = not security_journal.has_other_writers(session)
        head = self._follow(session, self._last[0], notes[0], now) if alone and self._last else None
        if head is None:
            last = self.chain.head(session)
            # There may be no row to follow: the journal is empty, or a checkpoint has replaced every row.
            head = self._follow(session, last, notes[0], now) if alone else None
            head = head or self._add(session, last, notes[0], now)
        for note in notes[1:]:  # one by one: the trigger wants them in order
            head = self._add(session, head, note, now)
        self._last.append(head)
        after_commit(session, partial(_count, tuple(note.event for note in notes)))

    def _follow(self, session: Session, last: _Place, note: JournalNote, now: datetime) -> _Place | None:
        """As `_add`, if this row is the last one; None, and nothing is written, when another one is: somebody else has written
        since, or this one was rolled back."""
        head, key_id = last
        line = self._line(last, note, now)
        made = self.chain.hashes.index(line.text(), key_id)
        return (Head(line.seq, made), key_id) if security_journal.append_after(session, head, line, made) else None

    def _add(self, session: Session, last: _Place, note: JournalNote, now: datetime) -> _Place:
        _, key_id = last
        line = self._line(last, note, now)
        made = self.chain.hashes.index(line.text(), key_id)
        security_journal.append(session, line, made)
        return Head(line.seq, made), key_id

    def _line(self, last: _Place, note: JournalNote, now: datetime) -> JournalLine:
        head, key_id = last
        by = self.operator.details if self.operator else {}
        return JournalLine(
            seq=head.seq + 1,
            at=now,
            event=note.event,
            patient_id=note.patient_id,
            phone_index=self.phones.index(note.phone) if note.phone else "",
            phone_tail=note.phone[-2:],
            network=note.device.network,
            details=details_text({"device": note.device.name, **note.details, **by}),
            previous=head.hash,
            key_id=key_id,
        )


def _count(events: tuple[JournalEvent, ...]) -> None:
    for event in events:
        metrics.JOURNAL.add(event)
