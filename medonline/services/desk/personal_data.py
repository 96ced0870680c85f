"""What an operator does for one patient: data given out and erased at demand (152-ФЗ, articles 14 and 21), ways into the account
changed. Of these the owner is told, and no act is refused for it; of what leaves no account there is nobody to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.errors import AccountNotFound, PhoneTaken
from medonline.domain.folding import folded
from medonline.domain.gosuslugi import UnlinkedWhy
from medonline.domain.passkeys import PasskeyRemovedWhy
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, source_of
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.domain.snils import Snils
from medonline.services.crypto.field_encryption import SealBroken, Sealer
from medonline.services.linked_identities import unlink
from medonline.services.notices import at_desk
from medonline.services.notices.queue import NoticeQueue
from medonline.services.notices.texts import About, Text
from medonline.services.passkey_removal import remove_one
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import (
    account_settings,
    gosuslugi,
    login,
    passkeys,
    password_recovery,
    patients,
    personal_data,
    security_journal,
)
from medonline.storage.tables.gosuslugi import LinkedIdentity
from medonline.storage.tables.passkeys import Passkey
from medonline.storage.tables.patients import Patient

# No data about the patient but keys to the account, or the portal's own marks.
_LEFT_OUT = frozenset(
    {
        "password_hash",
        "snils_index",
        "snils_sealed",
        "oms_policy_sealed",
        "policy_sealed",
        "policy_index",
        "holder_id",
        "token_hash",
        "ticket_hash",
        "visitor_key",
        "session_key",
        "sitting_key",
        "provider_token_sealed",
        "digest",
        "chat_user",
        "chat_id",
        "sealed",
        "state_hash",
        "handle",
        "credential_id",
        "public_key",
        "dispute_hash",
        "phone_index",
        "previous",
        "hash",
        "key_id",
    }
)


MAX_SEQ = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PersonalDataService:
    """The use case of an operator; an account is named by its phone or its id."""

    database: Database
    snils: Sealer
    policies: Sealer
    journal: SecurityJournal
    notices: NoticeQueue

    @writes
    def export(self, session: Session, account: str) -> dict[str, Any]:
        """Everything kept of the patient, ready for JSON: times in UTC (ISO 8601), tables by name.

        Raises:
            InvalidPhone, AccountNotFound: see there.
        """
        patient = self._patient(session, account)
        rows = personal_data.rows_of(session, patient)
        whose = security_journal.about(session, patient.id, self.journal.phones)
        rows["security_journal"] = [*reversed(security_journal.of_patient(session, whose, MAX_SEQ, MAX_SEQ))]
        self.journal.note(session, JournalNote(JournalEvent.DATA_EXPORTED, patient.id))
        about = _shown(patient) | {"snils": _opened(self.snils, patient.snils_sealed)}
        about["oms_policy"] = _opened(self.policies, patient.oms_policy_sealed)
        about["has_password"] = patient.password_hash is not None
        return {"patient": about} | {table: [_shown(row) for row in found] for table, found in rows.items()}

    @writes
    def show(self, session: Session, account: str) -> dict[str, Any]:
        """What the desk needs to help: no whole document, no password, counts of what belongs to the account. Times in UTC.

        Raises:
            InvalidPhone, AccountNotFound: see there.
        """
        patient = self._patient(session, account)
        rows = personal_data.rows_of(session, patient)
        self.journal.note(session, JournalNote(JournalEvent.DATA_SHOWN, patient.id))
        snils = Snils.read(_opened(self.snils, patient.snils_sealed))
        facts = _shown(patient)
        left_out = ("cards_incomplete", "password_version")
        return {name: value for name, value in facts.items() if name not in left_out} | {
            "phone": PhoneNumber(patient.phone).masked if patient.phone else None,
            "snils": snils.masked if snils else None,
            "has_password": patient.password_hash is not None,
            "rows": {table: len(found) for table, found in rows.items() if found},
        }

    @writes
    def erase(self, session: Session, account: str) -> dict[str, int]:
        """Delete everything kept of the patient, for good; how many rows by table. The security journal keeps its rows until
        their time is over: they hold no name and no phone, only an id that then leads nowhere.

        Raises:
            InvalidPhone, AccountNotFound: see there.
        """
        patient = self._patient(session, account)
        # Codes before the account (lock order: `storage.engine`).
        codes = personal_data.erase_codes(session, patient)
        patients.by_id_held(session, patient.id)
        gone = codes | personal_data.erase(session, patient)
        self.journal.note(session, JournalNote(JournalEvent.DATA_ERASED, patient.id))
        return gone

    async def set_phone(self, account: str, typed_phone: str) -> str:
        """Put a number on record that the desk has checked with documents, and end what «это не я» stopped; it, masked. The number
        before, the new one and the mailbox are told.

        Raises:
            InvalidPhone, AccountNotFound: see there.
            PhoneTaken: another account signs in with this number.
        """
        phone = PhoneNumber.parse(typed_phone)
        try:
            await self._set_phone(account, phone)
        except IntegrityError:  # another account got it in this moment
            raise PhoneTaken(phone.masked) from None
        return phone.masked

    @writes
    def _set_phone(self, session: Session, account: str, phone: PhoneNumber) -> None:
        now = self.journal.clock()
        patient = self._held(session, account)
        holder = patients.by_phone(session, phone.e164)
        if holder is not None and holder.id != patient.id:
            raise PhoneTaken(phone.masked)
        facts = {"phone": phone.e164, "phone_proved_at": now, "recovery_stopped_until": None}
        tells = list(at_desk.of_number(session, patient, phone.e164, now))
        account_settings.set_columns(session, patient.id, facts)
        account_settings.finish(session, patient.id, now)
        # What was proved with the old number sets no password after the change.
        password_recovery.move_all_of(session, patient.id, source_of(RecoveryMove.SET_PASSWORD), RecoveryStep.ABANDONED)
        self.notices.put_and_end_links(session, patient.id, tells)
        self.journal.note(session, JournalNote(JournalEvent.PHONE_SET_AT_DESK, patient.id, phone.e164))

    @reads
    def identities(self, session: Session, account: str) -> list[LinkedIdentity]:
        """The accounts at Gosuslugi that open the account, the first one linked first.

        Raises:
            InvalidPhone, AccountNotFound: see there.
        """
        patient = self._patient(session, account)
        return gosuslugi.of_patient(session, patient.id)

    @writes
    def unlink(self, session: Session, account: str, number: str) -> int:
        """Take one of them off, the last way in too: the desk can give another. Every session through Gosuslugi ends; how many.

        Raises:
            InvalidPhone, AccountNotFound: see there.
            NoSuchIdentity: no account at Gosuslugi of this number opens it.
        """
        patient = self._held(session, account)
        rows = gosuslugi.of_patient(session, patient.id)
        ended = unlink(session, self.journal, rows, number, UnlinkedWhy.DESK, self.journal.clock(), Client())
        self._tell(session, patient, About.DESK_IDENTITY, Text.DESK_IDENTITY_UNLINKED)
        return len(ended)

    @reads
    def passkeys(self, session: Session, account: str) -> list[Passkey]:
        """The passkeys that open the account, the oldest first.

        Raises:
            InvalidPhone, AccountNotFound: see there.
        """
        return passkeys.of_patient(session, self._patient(session, account).id)

    @writes
    def remove_passkey(self, session: Session, account: str, number: str) -> int:
        """Take one of them off. Every session that a passkey opened ends; how many.

        Raises:
            InvalidPhone, AccountNotFound: see there.
            NoSuchPasskey: none of this number opens it.
        """
        patient = self._held(session, account)
        ended = remove_one(session, self.journal, patient.id, number, PasskeyRemovedWhy.DESK, Client())
        self._tell(session, patient, About.DESK_PASSKEY, Text.DESK_PASSKEY_REMOVED)
        return ended

    @writes
    def end_sessions(self, session: Session, account: str) -> int:
        """Sign the patient out everywhere, at the desk or in an incident; how many sessions there were. Pages that are open
        get nothing more, and close within a minute.

        Raises:
            InvalidPhone, AccountNotFound: see there.
        """
        patient = self._held(session, account)
        ended = login.end_all_of(session, patient.id, self.journal.clock())
        if ended:
            self._tell(session, patient, About.DESK_SESSIONS, Text.DESK_SESSIONS_ENDED)
        what = {"sessions": len(ended)}
        self.journal.note(session, JournalNote(JournalEvent.SESSIONS_ENDED_AT_DESK, patient.id, details=what))
        return len(ended)

    def _tell(self, session: Session, patient: Patient, about: About, text: Text) -> None:
        for told in at_desk.of_change(session, patient, about, text, self.journal.clock()):
            self.notices.put(session, patient.id, told)

    def _held(self, session: Session, account: str) -> Patient:
        """The patient as the lock found it: another transaction may have changed it meanwhile."""
        patient = patients.by_id_held(session, self._patient(session, account).id)
        if patient is None:
            raise AccountNotFound
        return patient

    @staticmethod
    def _patient(session: Session, account: str) -> Patient:
        patient = session.get(Patient, account)
        written = folded(account)  # copied from a letter, with what no screen shows
        if patient is None and any(character.isdigit() for character in written) and len(written) < 30:
            patient = patients.by_phone(session, PhoneNumber.parse(account).e164)
        if patient is None:
            raise AccountNotFound
        return patient


def _shown(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.model_dump(mode="json").items() if name not in _LEFT_OUT}


def _opened(sealer: Sealer, sealed: str) -> str:
    try:
        return sealer.open(sealed)
    except SealBroken:
        return "sealed with a key that is not configured"
