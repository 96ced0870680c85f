"""The settings of the account (guide G12): one «Сохранить», all or nothing.

A new phone is proved by a code to it first; until then the whole change waits in its row, so that either everything is
saved or nothing. Phone and password need a recent proof of who is asking.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.domain.errors import (
    InvalidFields,
    InvalidInput,
    NoChangeInProgress,
    PasswordsDiffer,
    PhoneTaken,
    ReauthenticationNeeded,
)
from medonline.domain.one_time_code import ChannelName, digits_typed
from medonline.domain.person_name import parse_name
from medonline.domain.phone import PhoneNumber
from medonline.services import account_notices
from medonline.services.account_sessions import AccountSessionService
from medonline.services.clock import Clock
from medonline.services.code_proof import CodeProof, CodeView
from medonline.services.email_address import parse_email
from medonline.services.login import SignedIn
from medonline.services.new_passwords import NewPasswords, personal_words
from medonline.services.notices import NoticeService
from medonline.services.ports import Hasher
from medonline.services.sealing import Sealer
from medonline.storage import account_changes, patients, sessions
from medonline.storage.engine import Database
from medonline.storage.models import AccountChange, Patient

PURPOSE = "account_phone"
CHANGE_LIFE = timedelta(hours=1)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What was typed; an empty password changes nothing."""

    phone: str
    email: str
    last_name: str
    first_name: str
    password: str
    password_confirmation: str


@dataclass(frozen=True, slots=True)
class SettingsView:
    """What is on record, for its owner. `code`: a new phone waits for this code."""

    phone: str
    email: str
    last_name: str
    first_name: str
    has_password: bool
    code: CodeView | None


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of «Сохранить»: the names of the fields that changed; or that a code to the new phone is awaited."""

    changed: tuple[str, ...] = ()
    code_needed: bool = False
    sessions_ended: int = 0


@dataclass(frozen=True, slots=True)
class AccountSettingsService:
    """The use case; `session_key` names the signed-in browser."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    passwords: NewPasswords
    hasher: Hasher
    proof: CodeProof
    changes: Sealer
    notices: NoticeService
    sessions_ended: Callable[[list[str]], None]
    reauthentication_window: timedelta

    async def current(self, session_key: str) -> SettingsView:
        """What is on record.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        now = self.clock()
        async with self.database.reading() as session:
            patient = await self._patient(session, me)
            change = await account_changes.open_of(session, session_key, now - CHANGE_LIFE)
            return SettingsView(
                phone=patient.phone or "",
                email=patient.email,
                last_name=patient.last_name,
                first_name=patient.first_name,
                has_password=patient.password_hash is not None,
                code=await self.proof.view(session, change.id, now) if change else None,
            )

    async def code_of(self, session_key: str) -> CodeView | None:
        """The code to the new phone; asking does not count as use of the session. None when no change waits."""
        now = self.clock()
        async with self.database.reading() as session:
            change = await account_changes.open_of(session, session_key, now - CHANGE_LIFE)
            return await self.proof.view(session, change.id, now) if change else None

    async def save(self, session_key: str, form: SettingsForm, channel: ChannelName, client_ip: str = "") -> Saved:
        """Save everything, or leave the intent to send a code to the new phone.

        Raises:
            NotSignedIn: the session is over.
            InvalidFields: what is wrong with each field; nothing was saved.
            ReauthenticationNeeded: phone or password change, and the last proof of who is asking is too old.
            ChannelUnavailable, RateLimited, LimitReached: the code to the new phone cannot be asked for now.
            Busy: the server has too many passwords to hash.
        """
        me = await self.sessions.required(session_key)
        async with self.database.reading() as session:
            patient = await self._patient(session, me)
        wanted, phone, password = await self._validated(patient, form)
        now = self.clock()
        if (phone or password) and now - me.authenticated_at > self.reauthentication_window:
            raise ReauthenticationNeeded
        if password:
            wanted["password_hash"] = await self.hasher.hash(password)
        if phone is not None:
            await self._await_code(me, wanted, phone, channel, client_ip)
            return Saved(code_needed=True)
        return await self._make(me, wanted)

    async def resend(self, session_key: str, channel: ChannelName, client_ip: str = "") -> None:
        """Another code to the new phone.

        Raises:
            NotSignedIn, NoChangeInProgress, ChannelUnavailable, RateLimited, LimitReached: see there.
        """
        await self.sessions.required(session_key)
        now = self.clock()
        async with self.database.writing() as session:
            change = await self._change(session, session_key)
            request = self.proof.request(change.id, PhoneNumber(change.phone), channel, client_ip)
            await self.proof.issue(session, request, now)
        self.proof.wake_dispatcher()

    async def confirm_phone(self, session_key: str, typed: str) -> Saved:
        """The code to the new phone: everything that waited with it is saved.

        Raises:
            NotSignedIn, NoChangeInProgress: see there.
            CodeRefused: one of its leaves; the change waits on.
            PhoneTaken: another account signs in with this number; nothing was saved.
        """
        me = await self.sessions.required(session_key)
        digits = digits_typed(typed)
        async with self.database.reading() as session:
            change = await self._change(session, session_key)
        await self.proof.until_sent(change.id)
        now = self.clock()
        async with self.database.writing() as session:
            change = await self._change(session, session_key)
            refusal = await self.proof.judge(session, change.id, digits, now)
        # Raised only here, after the commit: a miss that is rolled back would be a free guess.
        if refusal is not None:
            raise refusal
        wanted = json.loads(self.changes.open(change.sealed)) if change.sealed else {}
        return await self._make(me, wanted | {"phone": change.phone, "phone_proved_at": now})

    async def cancel(self, session_key: str) -> None:
        """The new phone is given up, and what waited with it."""
        me = await self.sessions.required(session_key)
        async with self.database.writing() as session:
            await account_changes.finish(session, me.patient_id, self.clock())

    async def _validated(self, patient: Patient, form: SettingsForm) -> tuple[dict[str, Any], PhoneNumber | None, str]:
        refused: dict[str, InvalidInput] = {}

        def parsed(field: str, parse: Callable[[str], T], typed: str, otherwise: T) -> T:
            try:
                return parse(typed)
            except InvalidInput as error:
                refused[field] = error
                return otherwise

        wanted: dict[str, Any] = {
            "email": parsed("email", parse_email, form.email, ""),
            "last_name": parsed("last_name", parse_name, form.last_name, ""),
            "first_name": parsed("first_name", parse_name, form.first_name, ""),
        }
        phone = None
        if form.phone.strip() or patient.phone:  # an account without a phone may stay so
            phone = parsed("phone", PhoneNumber.parse, form.phone, None)
        password = ""
        if form.password or form.password_confirmation:
            try:
                password = await self.passwords.check(form.password, personal_words(patient))
                if form.password != form.password_confirmation:
                    refused["password_confirmation"] = PasswordsDiffer()
            except InvalidInput as error:
                refused["password"] = error
        if refused:
            raise InvalidFields(refused)
        wanted = {name: value for name, value in wanted.items() if value != getattr(patient, name)}
        new_phone = phone if phone is not None and phone.e164 != patient.phone else None
        return wanted, new_phone, password

    async def _await_code(
        self, me: SignedIn, wanted: dict[str, Any], phone: PhoneNumber, channel: ChannelName, client_ip: str
    ) -> None:
        now = self.clock()
        async with self.database.writing() as session:
            await account_changes.finish(session, me.patient_id, now)
            change = AccountChange(
                patient_id=me.patient_id,
                session_key=me.session_key,
                phone=phone.e164,
                sealed=self.changes.seal(json.dumps(wanted)),
                created_at=now,
            )
            session.add(change)
            await self.proof.issue(session, self.proof.request(change.id, phone, channel, client_ip), now)
        self.proof.wake_dispatcher()

    async def _make(self, me: SignedIn, wanted: dict[str, Any]) -> Saved:
        now = self.clock()
        changed = tuple(name for name in wanted if name != "phone_proved_at")
        if "password_hash" in wanted:
            wanted = wanted | {"password_changed_at": now}
        ended: list[str] = []
        try:
            async with self.database.writing() as session:
                patient = await patients.by_id_held(session, me.patient_id)
                if patient is None or not await sessions.is_open(session, me.session_key):
                    raise NoChangeInProgress
                notices = list(account_notices.of_change(patient.phone, wanted))  # to the phone before the change
                if wanted:
                    await account_changes.put(session, me.patient_id, wanted)
                await account_changes.finish(session, me.patient_id, now)
                for phone, text in notices:
                    await self.notices.put(session, me.patient_id, phone, text)
                if "password_hash" in wanted:
                    ended = await sessions.end_all_of(session, me.patient_id, now, but=me.session_key)
        except IntegrityError:
            raise PhoneTaken from None  # the phone is the only thing here that must be one's own
        self.notices.wake()
        self.sessions_ended(ended)
        return Saved(changed=changed, sessions_ended=len(ended))

    async def _change(self, session: AsyncSession, session_key: str) -> AccountChange:
        change = await account_changes.open_of(session, session_key, self.clock() - CHANGE_LIFE)
        if change is None:
            raise NoChangeInProgress
        return change

    @staticmethod
    async def _patient(session: AsyncSession, me: SignedIn) -> Patient:
        patient = await session.get(Patient, me.patient_id)
        if patient is None:
            raise NoChangeInProgress
        return patient
