"""The settings of the account (guide G12): one «Сохранить» saves everything or nothing.

A new phone must first be proved by a code sent to it. Until then the whole change waits in its row, so that everything is saved together or
not at all. Phone, password and names need a recent proof of who is asking.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from medonline.domain.account_settings import NO_CHANGE, SettingsChange
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.one_time_code import digits_typed
from medonline.domain.errors import CodeRefused, NoChangeInProgress, PhoneTaken, ReauthenticationNeeded
from medonline.domain.login import LoginMethod
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, source_of
from medonline.domain.phone import PhoneNumber
from medonline.services.account_settings import email_proof
from medonline.services.account_settings.form import (
    TEXTS,
    Asked,
    Saved,
    SettingsForm,
    SettingsView,
    change_as_text,
    change_from_text,
    changes_asked,
)
from medonline.services.clock import Clock
from medonline.services.codes.flow import CodeFlow, CodeView
from medonline.services.crypto.field_encryption import SealBroken, Sealer
from medonline.services.limits.code_limits import CodeGuess, CodePlace
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import SignedIn
from medonline.services.notices import texts
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About
from medonline.services.passwords.new_passwords import NewPasswords
from medonline.services.ports import Hasher
from medonline.services.security_journal import entries
from medonline.services.security_journal.account_pace import AccountPace, Act
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import (
    account_settings as account_changes,
)
from medonline.storage.queries import (
    login as sessions,
)
from medonline.storage.queries import (
    password_recovery as password_recoveries,
)
from medonline.storage.queries import (
    patients,
)
from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.patients import Patient

PURPOSE = "account_phone"
CHANGE_LIFE = timedelta(hours=1)
# Gosuslugi recognises the account by these names: a person who changes them could open the account to somebody else.
NAMES = frozenset({"last_name", "first_name"})


@dataclass(frozen=True, slots=True)
class AccountSettingsService:
    """The use case. A change belongs to the session that asked for it."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    passwords: NewPasswords
    hasher: Hasher
    codes: CodeFlow
    changes: Sealer
    notices: NoticeService
    journal: SecurityJournal
    pace: AccountPace
    reauthentication_window: timedelta

    async def current(self, session_key: str) -> SettingsView:
        """The settings on record.

        Raises:
            NotSignedIn: the session is over.
        """
        return await self._view(await self.sessions.required(session_key))

    @reads
    def _view(self, session: Session, me: SignedIn) -> SettingsView:
        now = self.clock()
        patient = self._patient(session, me)
        change = account_changes.open_of(session, me.session_key, now - CHANGE_LIFE)
        waiting = self._waiting(change) if change else NO_CHANGE
        new = waiting.values()
        return SettingsView(
            phone=change.phone if change else patient.phone or "",
            **{name: new.get(name, getattr(patient, name)) for name in TEXTS},
            has_password=patient.password_hash is not None,
            code=self.codes.view(session, change.id, now) if change else None,
        )

    @reads
    def code_of(self, session: Session, session_key: str) -> CodeView | None:
        """The code to the new phone. None when no change waits. The question does not count as use of the session."""
        now = self.clock()
        change = account_changes.open_of(session, session_key, now - CHANGE_LIFE)
        return self.codes.view(session, change.id, now) if change else None

    async def save(self, client: Client, form: SettingsForm, channel: ChannelName) -> Saved:
        """Save everything, or record the intent to send a code to the new phone.

        Raises:
            NotSignedIn: the session is over.
            InvalidFields: says what is wrong with each field; nothing was saved.
            ReauthenticationNeeded: phone, password or names change, and the last proof of who is asking is too old.
            SettingsSavedTooOften: of this account; nothing was saved.
            ToldTooOften, NoticesOverBudget: the owner could not get a notice; nothing was saved.
            ChannelUnavailable, RateLimited, LimitReached: the code to the new phone cannot be asked for now.
            Busy: too many passwords wait to be hashed.
        """
        me = await self.sessions.required(client.session_key)
        patient = await self.database.read(self._patient, me)
        asked = await changes_asked(patient, form, self.passwords)
        now = self.clock()
        if await self._awaited_already(me, asked, now):
            return Saved(code_needed=True)
        guarded = (
            asked.phone is not None
            or asked.password
            or not NAMES.isdisjoint(asked.texts.changed)
            # A person who could change it without a proof could stop the owner's notices.
            or (asked.texts.email is not None and bool(patient.proved_email))
        )
        if guarded and now - me.authenticated_at > self.reauthentication_window:
            raise ReauthenticationNeeded
        if not asked.is_nothing:
            await self._admit(me, patient, told=bool(asked.phone or asked.password))
        change = asked.texts
        if asked.password:
            change = replace(change, password_hash=await self.hasher.hash(asked.password))
        if asked.phone is not None:
            await self._await_code(me, change, asked.phone, channel, client.address)
            return Saved(code_needed=True)
        return await self._save(me, change)

    async def resend(self, client: Client, channel: ChannelName) -> None:
        """Send another code to the new phone.

        Raises:
            NotSignedIn, NoChangeInProgress, ChannelUnavailable, RateLimited, LimitReached: see the errors.
        """
        await self.sessions.required(client.session_key)
        now = self.clock()
        change = await self.database.read(self._change, client.session_key)
        async with self.codes.place(PhoneNumber(change.phone), channel, client.address, now) as place:
            await self._resend(client.session_key, place, channel, now)

    @writes
    def _resend(
        self, session: Session, session_key: str, place: CodePlace, channel: ChannelName, now: datetime
    ) -> None:
        change = self._change(session, session_key)
        if change.phone != place.phone.e164:
            raise NoChangeInProgress  # another tab has asked for another number meanwhile
        self.codes.resend(session, self.codes.request(change.id, place, channel), now)
        # The change is locked only now, after the code (lock order: `storage.engine`). If it was given up meanwhile, no code is sent.
        if not account_changes.is_open_held(session, change.id):
            raise NoChangeInProgress

    async def confirm_phone(self, session_key: str, typed: str) -> Saved:
        """Accept the code to the new phone, and save everything that waited with it.

        Raises:
            NotSignedIn, NoChangeInProgress: see the errors.
            CodeRefused: one of its leaves; the change goes on waiting.
            TooManyWrongCodes: in this network; nothing was compared.
            PhoneTaken: another account signs in with this number; nothing was saved.
            SettingsSavedTooOften, ToldTooOften, NoticesOverBudget: as for `save`; the change goes on waiting.
        """
        me = await self.sessions.required(session_key)
        digits = digits_typed(typed)
        async with self.codes.guess(lambda session: self._last_code(session, session_key), self.clock()) as guess:
            now = self.clock()
            change, judged = await self._judge(session_key, digits, now, guess)
        # The refusal is raised only here, after the commit: a miss that is rolled back would be a free guess.
        if isinstance(judged, CodeRefused):
            raise judged
        return await self._save(me, replace(self._waiting(change), phone=judged.phone, phone_proved_at=now))

    @writes
    def _judge(
        self, session: Session, session_key: str, digits: str, now: datetime, guess: CodeGuess
    ) -> tuple[AccountChange, OneTimeCodeRow | CodeRefused]:
        change = self._change(session, session_key)
        return change, self.codes.judge(session, self.codes.last_code(session, change.id), digits, now, guess)

    def _last_code(self, session: Session, session_key: str) -> OneTimeCodeRow | None:
        return self.codes.last_code(session, self._change(session, session_key).id)

    async def cancel(self, session_key: str) -> None:
        """Give up the new phone, and everything that waited with it."""
        await self._cancel(await self.sessions.required(session_key))

    @writes
    def _cancel(self, session: Session, me: SignedIn) -> None:
        patients.by_id_held(session, me.patient_id)
        account_changes.finish(session, me.patient_id, self.clock())

    @reads
    def _admit(self, session: Session, me: SignedIn, patient: Patient, *, told: bool) -> None:
        """Refuse what `_save` would refuse, before it costs a hash or a code."""
        self.pace.admit(session, me.patient_id, Act.SAVE, self.clock())
        if told and (patient.phone or patient.proved_email):
            self.notices.admit(session, me.patient_id, About.PASSWORD)

    async def _await_code(
        self, me: SignedIn, asked: SettingsChange, phone: PhoneNumber, channel: ChannelName, client_ip: str
    ) -> None:
        now = self.clock()
        change = AccountChange(
            patient_id=me.patient_id,
            session_key=me.session_key,
            phone=phone.e164,
            sealed=self.changes.seal(change_as_text(asked)),
            created_at=now,
        )
        async with self.codes.place(phone, channel, client_ip, now) as place:
            await self._add_change(change, place, channel)

    @writes
    def _add_change(self, session: Session, change: AccountChange, place: CodePlace, channel: ChannelName) -> None:
        now = change.created_at
        # The code is locked before the account (lock order: `storage.engine`). If the account refuses, nothing is sent.
        self.codes.begin(session, self.codes.request(change.id, place, channel), now)
        patient = patients.by_id_held(session, change.patient_id)
        if patient is None or not sessions.is_open(session, change.session_key):
            raise NoChangeInProgress
        account_changes.finish(session, change.patient_id, now)
        session.add(change)

    async def _save(self, me: SignedIn, change: SettingsChange) -> Saved:
        """Save a change. Its phone, if it has one, is proved. An empty change ends whatever waits for a code."""
        try:
            ended = await self._write(me, change)
        except IntegrityError:
            raise PhoneTaken from None  # no other column that changes here is unique
        return Saved(changed=change.changed, sessions_ended=len(ended))

    @writes
    def _write(self, session: Session, me: SignedIn, change: SettingsChange) -> list[str]:
        """The transaction of `_save`. Returns the keys of the sessions that a new password ends."""
        now = self.clock()
        patient = patients.by_id_held(session, me.patient_id)
        if patient is None or not sessions.is_open(session, me.session_key):
            raise NoChangeInProgress
        if change.changed:
            self.pace.admit(session, me.patient_id, Act.SAVE, now)
        old_phone = patient.phone
        by_passkey = me.method is LoginMethod.PASSKEY
        # They go to the phone before the change.
        notices = list(texts.of_change(old_phone, change, by_passkey=by_passkey))
        if change.email is not None:
            email_proof.changed(session, self.notices, patient, change.email, now)
        if change.changed:
            account_changes.apply(session, me.patient_id, change, now)
        account_changes.finish(session, me.patient_id, now)
        for told in notices:
            self.notices.put(session, me.patient_id, told)
        ended: list[str] = []
        if change.password_hash is not None:
            ended = sessions.end_all_of(session, me.patient_id, now, but=me.session_key)
        if change.password_hash is not None or change.phone is not None:
            # A proof given under the old password or the old number must not set a password after the change.
            password_recoveries.move_all_of(
                session, me.patient_id, source_of(RecoveryMove.SET_PASSWORD), RecoveryStep.ABANDONED
            )
        self.journal.note(session, *entries.settings_saved(me.patient_id, change, old_phone, ended, me.device))
        return ended

    def _waiting(self, change: AccountChange) -> SettingsChange:
        """The change that waits with the new phone.

        Raises:
            NoChangeInProgress: the key that encrypted it is gone, so its values are lost.
        """
        try:
            return change_from_text(self.changes.open(change.sealed)) if change.sealed else NO_CHANGE
        except SealBroken:
            raise NoChangeInProgress from None

    async def _awaited_already(self, me: SignedIn, asked: Asked, now: datetime) -> bool:
        """Whether exactly this change waits for its code already. After a reload the form shows it, and «Сохранить» changes nothing."""
        if asked.phone is None or asked.password:
            return False
        change = await self.database.read(account_changes.open_of, me.session_key, now - CHANGE_LIFE)
        if change is None or change.phone != asked.phone.e164:
            return False
        return replace(self._waiting(change), password_hash=None) == asked.texts

    def _change(self, session: Session, session_key: str) -> AccountChange:
        change = account_changes.open_of(session, session_key, self.clock() - CHANGE_LIFE)
        if change is None:
            raise NoChangeInProgress
        return change

    @staticmethod
    def _patient(session: Session, me: SignedIn) -> Patient:
        patient = session.get(Patient, me.patient_id)
        if patient is None:
            raise NoChangeInProgress
        return patient
