"""Step 3 of a recovery: the new password is committed, every session ends, and the patient gets a notice by another way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.device import Device
from medonline.domain.errors import NoRecoveryInProgress, PasswordAlreadySet
from medonline.domain.gosuslugi import UnlinkedWhy
from medonline.domain.passkeys import PasskeyRemovedWhy
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, source_of
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.linked_identities import take_off_proved
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About, Text, Told
from medonline.services.passkey_removal import remove_all
from medonline.services.password_recovery.reader import RecoveryReader, RecoveryView
from medonline.services.passwords.new_passwords import NewPasswords, personal_words
from medonline.services.ports import Hasher
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import login as sessions
from medonline.storage.queries import passkeys, patients
from medonline.storage.queries import password_recovery as password_recoveries
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.password_recovery import PasswordRecovery
from medonline.storage.tables.patients import Patient

_TOLD = {  # the keys: whether identities were taken off, and whether passkeys were
    (False, False): Text.ACCESS_RECOVERED,
    (True, False): Text.ACCESS_RECOVERED_UNLINKED,
    (False, True): Text.ACCESS_RECOVERED_NO_PASSKEYS,
    (True, True): Text.ACCESS_RECOVERED_ALL_OFF,
}
_SOURCES = source_of(RecoveryMove.SET_PASSWORD)


@dataclass(frozen=True, slots=True)
class NewPasswordStep:
    """The last move of a recovery."""

    database: Database
    clock: Clock
    reader: RecoveryReader
    passwords: NewPasswords
    hasher: Hasher
    journal: SecurityJournal
    notices: NoticeService

    async def set(self, client: Client, typed: str) -> RecoveryView:
        """Set the new password, as `PasswordRecoveryService.set_password` says."""
        recovery, patient = await self._found(client)
        if recovery.step == RecoveryStep.STOPPED:
            return await self._stopped(client)
        if recovery.step not in (RecoveryStep.DONE, *_SOURCES):
            raise NoRecoveryInProgress
        password = await self.passwords.check(typed, personal_words(patient) if patient else ())
        if recovery.step == RecoveryStep.DONE:
            return await self._same_again(client, password)
        encoded = await self.hasher.hash(password)
        view = await self._move(client, encoded)
        if view is None:
            return await self._same_again(client, password)
        return view

    @reads
    def _found(self, session: Session, client: Client) -> tuple[PasswordRecovery, Patient | None]:
        recovery = self.reader.newest(session, client, self.clock())
        return recovery, session.get(Patient, recovery.patient_id) if recovery.patient_id else None

    @writes
    def _move(self, session: Session, client: Client, encoded: str) -> RecoveryView | None:
        """What a screen shows. None when the recovery is not at this step any more."""
        now = self.clock()
        recovery, code = self.reader.newest_with_code(session, client, now)
        # The patient is held, so that «это не я» at this moment stops the recovery either before this or after it.
        patient = patients.by_id_held(session, recovery.patient_id or "")
        if patient is not None and patient.phone != recovery.phone:
            # The account's number has changed since the proof, so the code proved nothing about this account.
            raise NoRecoveryInProgress
        if patient is not None and self.reader.stop(session, recovery, patient, now, client.sitting_key):
            return self.reader.view(session, recovery, now, code)
        if not password_recoveries.move(session, recovery.id, _SOURCES, RecoveryStep.DONE, finished_at=now):
            return None
        code = code or self.reader.code_of(session, recovery)
        if patient is not None:
            self._change_account(session, recovery, patient, code, encoded, client.device, now)
        return self.reader.view(session, recovery, now, code)

    def _change_account(
        self,
        session: Session,
        recovery: PasswordRecovery,
        patient: Patient,
        code: OneTimeCodeRow,
        encoded: str,
        device: Device,
        now: datetime,
    ) -> None:
        """Store the new password. `now` is also the recovery's `finished_at`.

        So its browser is known as the one that set the password in force.
        """
        patients.set_password(session, patient.id, encoded, now)
        ended = sessions.end_all_of(session, patient.id, now)
        # Another browser may have proved the phone before. As long as its step is open, it could replace this password.
        password_recoveries.move_all_of(session, patient.id, _SOURCES, RecoveryStep.ABANDONED)
        what: dict[str, str | int] = {"channel": code.channel, "sessions": len(ended)}
        note = JournalNote(JournalEvent.PASSWORD_RECOVERED, patient.id, recovery.phone, device, details=what)
        self.journal.note(session, note)
        # A stranger may have known the old password, linked their own Gosuslugi and added a passkey of their own phone.
        unlinked = take_off_proved(session, self.journal, patient.id, UnlinkedWhy.RECOVERY, device)
        removed = remove_all(session, self.journal, patient.id, PasskeyRemovedWhy.RECOVERY, device)
        passkeys.forget_offer(session, patient.id)
        if unlinked or removed:
            password_recoveries.record_taken_off(session, recovery.id, identities=unlinked, passkeys=removed)
        text = _TOLD[bool(unlinked), bool(removed)]
        self.notices.put(session, patient.id, Told(recovery.phone, About.RECOVERED, text))

    @reads
    def _stopped(self, session: Session, client: Client) -> RecoveryView:
        now = self.clock()
        return self.reader.view(session, self.reader.newest(session, client, now), now)

    async def _same_again(self, client: Client, password: str) -> RecoveryView:
        """Answer a finished recovery that is submitted once more: with the first result, if the password is the one in force."""
        view, encoded = await self._finished(client)
        if not await self.hasher.verify(encoded, password):
            raise PasswordAlreadySet
        return view

    @reads
    def _finished(self, session: Session, client: Client) -> tuple[RecoveryView, str | None]:
        now = self.clock()
        recovery = self.reader.newest(session, client, now)
        if recovery.step != RecoveryStep.DONE:
            raise NoRecoveryInProgress
        return self.reader.view(session, recovery, now), patients.password_hash_of(session, recovery.patient_id or "")
