"""«Это не я»: whoever was told of a change that they did not make takes the account out of use until it is cleared up.

The link came by another way than the change was made by. It ends every session, makes a password that may be a stranger's
useless, and stops recovery by phone for a while: what is left is Gosuslugi and the clinic's desk, where documents are shown.
It gives nothing to whoever holds it: no session, no data, not even a name (docs/decisions/0012).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from medonline.domain.errors import DisputeNotPossible
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, source_of
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.dispute_links import TOKEN_LENGTH
from medonline.services.secret_tokens import token_hash
from medonline.services.security_journal import JournalNote, SecurityJournal
from medonline.services.sign_in import UNKNOWN_DEVICE, Device
from medonline.storage import account_changes, notices, patients, recoveries, sessions
from medonline.storage.engine import Database

# Longer than a holiday weekend; later the desk can do more than a link.
LINK_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AccountDispute:
    """The use case."""

    database: Database
    clock: Clock
    journal: SecurityJournal
    stop_for: timedelta
    sessions_ended: Callable[[list[str]], None]

    async def raise_(self, token: str, device: Device = UNKNOWN_DEVICE) -> datetime:
        """Take the account out of use; until when (UTC) recovery by phone is stopped.

        Raises:
            DisputeNotPossible: the link is unknown, was used, or is too old.
        """
        if len(token) != TOKEN_LENGTH or not token.isascii():
            raise DisputeNotPossible
        now = self.clock()
        until = now + self.stop_for
        async with self.database.writing() as session:
            notice = await notices.take_dispute(session, token_hash(token), now, now - LINK_LIFE)
            patient = await patients.by_id_held(session, notice.patient_id) if notice else None
            if patient is None:
                raise DisputeNotPossible
            # The password may be the stranger's; `password_changed_at` also ends what is between sign-in and session.
            await patients.put_out_of_use(session, patient.id, until, now)
            ended = await sessions.end_all_of(session, patient.id, now)
            await account_changes.finish(session, patient.id, now)
            await recoveries.move_all_of(
                session, patient.id, source_of(RecoveryMove.SET_PASSWORD), RecoveryStep.STOPPED
            )
            what = {"sessions": len(ended), "hours": int(self.stop_for.total_seconds() // 3600)}
            self.journal.note(session, JournalNote(JournalEvent.DISPUTED, patient.id, device=device, details=what))
        self.sessions_ended(ended)
        return until
