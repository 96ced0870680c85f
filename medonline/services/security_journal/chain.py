"""Decides which key makes the next row of the journal. Keys follow one another, and none comes back.

While keys change node by node, processes with the old key and with the new one write side by side. A row of an older key after one of a
newer key counts as forged, so the newest row decides. A process with the next key (`MEDONLINE_NEXT_SECRET_KEY`) uses it as soon as another
process has begun to. A process that does not know the key of the newest row writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from medonline.services.crypto.field_encryption import Sealer
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.services.outages import JournalKeyUnknown
from medonline.storage.engine import Database, reads
from medonline.storage.queries import security_journal
from medonline.storage.queries.security_journal import Head


@dataclass(frozen=True, slots=True)
class JournalChain:
    """Makes and checks the hashes of rows. `next_id`: the id of the key after the current one; empty where there is none."""

    database: Database
    hashes: Sealer
    alarms: Alarms
    next_id: str = ""

    def head(self, session: Session) -> tuple[Head, str]:
        """The row that the next one follows, and the id of the key that makes the next one.

        Raises:
            JournalKeyUnknown: none of this process's keys may follow it.
        """
        last, key_id = security_journal.head_and_key(session)
        if key_id in ("", self.hashes.key_id):
            return last, self.hashes.key_id
        if key_id == self.next_id:
            return last, key_id
        if fault := self._fault(session, key_id):
            self.alarms.sound(
                Alarm.JOURNAL_KEY_UNKNOWN, f"{fault} This process writes nothing that the journal must hold"
            )
            raise JournalKeyUnknown(fault)
        return last, self.hashes.key_id

    def _fault(self, session: Session, key_id: str) -> str:
        """Why no row of this process may follow one of `key_id`. Empty where one may."""
        if key_id not in self.hashes.key_ids:
            return f"The newest row of the security journal is of key {key_id}, which is not configured."
        # It is read only while keys change: one row later the newest row has the current key.
        if security_journal.has_rows_of(session, self.hashes.key_id):
            return (
                f"The newest row of the security journal is of key {key_id}, which came after {self.hashes.key_id}, the key of "
                "MEDONLINE_SECRET_KEY."
            )
        return ""

    @reads
    def fault(self, session: Session) -> str:
        """Why this process may write no row. Empty when it may. A reason sounds the alarm."""
        try:
            self.head(session)
        except JournalKeyUnknown as refusal:
            return str(refusal)
        return ""

    def rank(self, key_id: str) -> int:
        """The rank of a key. A row of a lower rank never follows one of a higher rank."""
        return {self.hashes.key_id: 1, self.next_id: 2}.get(key_id, 0)
