"""«Это не я»: anyone who was told of a change that they did not make takes the account out of use until it is cleared up.

The link reaches the owner by another way than the one by which the change was made. It ends every session, makes a password
that may be a stranger's useless, undoes what opens the account to somebody new (a later number, each passkey, each account at
Gosuslugi that was linked by less than its own data), and stops recovery by phone for a while: what is left is Gosuslugi and the
clinic's desk, where documents are shown. It gives nothing to anyone who holds it: no session, no data, not even a name
(docs/decisions/0012).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.device import UNKNOWN_DEVICE, Device
from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import DisputeNotPossible
from medonline.domain.gosuslugi import UnlinkedWhy
from medonline.domain.passkeys import PasskeyRemovedWhy
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, source_of
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.crypto.tokens import token_hash
from medonline.services.linked_identities import take_off_proved
from medonline.services.notices.dispute_links import LINK_LIFE, TOKEN_LENGTH
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About, of_dispute
from medonline.services.passkey_removal import remove_all
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, writes
from medonline.storage.queries import (
    account_settings,
    login,
    notices,
    patients,
)
from medonline.storage.queries import (
    password_recovery as password_recoveries,
)
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient


@dataclass(frozen=True, slots=True)
class AccountDispute:
    """The use case."""

    database: Database
    clock: Clock
    journal: SecurityJournal
    stop_for: timedelta
    notices: NoticeService

    async def raise_(self, token: str, device: Device = UNKNOWN_DEVICE) -> datetime:
        """Take the account out of use; until when (UTC) recovery by phone is stopped.

        Raises:
            DisputeNotPossible: the link is unknown, was used, or is too old.
        """
        if len(token) != TOKEN_LENGTH or not token.isascii():
            raise DisputeNotPossible
        patient_id = await self.database.read(notices.told_with_link, token_hash(token))
        if patient_id is None:
            raise DisputeNotPossible  # anybody may ask for this: what is no link costs no lock
        now = self.clock()
        await self._take(token, patient_id, now, device)
        return now + self.stop_for

    @writes
    def _take(self, session: Session, token: str, patient_id: str, now: datetime, device: Device) -> None:
        patient = patients.by_id_held(session, patient_id)
        notice = notices.take_dispute(session, token_hash(token), now, now - LINK_LIFE)
        if notice is None or patient is None:
            raise DisputeNotPossible
        self._take_out_of_use(session, patient, notice, device)

    def _take_out_of_use(self, session: Session, patient: Patient, notice: Notice, device: Device) -> None:
        now = self.clock()
        what: dict[str, str | int] = {}
        facts: dict[str, object] = {"recovery_stopped_until": now + self.stop_for}
        # The password may be the stranger's; its new version also ends what is between sign-in and session.
        facts |= {"password_hash": None, "password_changed_at": now}
        # Whoever got the new number's own message says that it is not the account's.
        no_number = (patient.phone or "") != notice.phone or notice.about == About.DESK_NUMBER
        if no_number:
            # The number came after the notice, whatever it told of. It would open the account when the stop is over. The old
            # one does not come back by itself: it may be a stranger's by now.
            facts |= {"phone": None, "phone_proved_at": None}
        if _may_be_a_strangers(patient, notice):
            facts |= {"email": "", "proved_email": "", "email_proved_at": None}
            what["email"] = "off"
        account_settings.set_columns(session, patient.id, facts)
        unlinked = take_off_proved(session, self.journal, patient.id, UnlinkedWhy.DISPUTE, device)
        passkeys = remove_all(session, self.journal, patient.id, PasskeyRemovedWhy.DISPUTE, device)
        notices.end_links_with(session, notice, now)
        ended = login.end_all_of(session, patient.id, now)
        account_settings.finish(session, patient.id, now)
        password_recoveries.move_all_of(session, patient.id, source_of(RecoveryMove.SET_PASSWORD), RecoveryStep.STOPPED)
        what |= {"sessions": len(ended), "minutes": int(self.stop_for.total_seconds() // 60), "about": notice.about}
        what["identities"], what["passkeys"] = unlinked, passkeys
        if no_number or notice.about in (About.PHONE, About.DESK_PHONE):
            what["number"] = "off" if no_number else "same"
        for told in of_dispute(notice.phone, by_mail=bool(notice.email)):
            self.notices.put(session, patient.id, told)
        self.journal.note(session, JournalNote(JournalEvent.DISPUTED, patient.id, device=device, details=what))


def _may_be_a_strangers(patient: Patient, notice: Notice) -> bool:
    """Whether the proved address goes: any that was proved while this link, or one before it that a newer notice has ended, could be
    followed; not the one that the link came to."""
    if patient.email_proved_at is None:
        return False
    is_here = bool(notice.email) and EmailAddress(notice.email).key == EmailAddress(patient.proved_email).key
    return not is_here and patient.email_proved_at > notice.created_at - LINK_LIFE
