"""The security journal: what happens to an account is written in the same transaction (I5).

Rows are chained: each contains an HMAC over itself and the hash of the previous row, under a key that the database does not contain.
Triggers forbid changing or deleting a row. A person who gets around them breaks the chain (docs/decisions/0012).
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
_Place = tuple[Head, str]  # the row to follow, and the id of the key that makes the next row


@dataclass(frozen=True, slots=True)
class JournalNote:
    """An event to write down.

    Attributes:
        patient_id: empty until somebody has proved to be the patient; then only `phone` says whom it is about.
        phone: E.164. The journal keeps an HMAC and two digits of it.
        device: where the event came from. Where no browser is known, only its network.
        details: short texts and numbers; never a code, a password, a token or a whole phone.
    """

    event: JournalEvent
    patient_id: str = ""
    phone: str = ""
    device: Device = UNKNOWN_DEVICE
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SecurityJournal:
    """Writes the journal. `chain` makes the hashes, `phones` makes the indexes of phones.

    operator: who runs the command that this process is; None for the portal.
    """

    clock: Clock
    phones: Sealer
    chain: JournalChain
    operator: Operator | None = None
    _last: deque[_Place] = field(
        default_factory=partial(deque, maxlen=1)
    )  # the row that was written last; it may not be the last any more

    def note(self, session: Session, *notes: JournalNote) -> None:
        """Write these rows when the caller's transaction commits, and only then.

        The commit raises JournalKeyUnknown, and nothing is committed, if none of this process's keys may follow.
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
        for note in notes[1:]:  # one by one, because the trigger requires them in order
            head = self._add(session, head, note, now)
        self._last.append(head)
        after_commit(session, partial(_count, tuple(note.event for note in notes)))

    def _follow(self, session: Session, last: _Place, note: JournalNote, now: datetime) -> _Place | None:
        """Like `_add`, if `last` is still the last row. Otherwise it writes nothing and returns None.

        Another process may have written since, or the row was rolled back.
        """
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
