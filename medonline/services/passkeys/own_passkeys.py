"""A patient's own passkeys: add one after a fresh proof, list, rename and remove them, and decide whether to offer one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from webauthn.helpers import bytes_to_base64url, generate_user_handle

from medonline.domain.client import Client
from medonline.domain.errors import (
    NoSuchPasskey,
    NotSignedIn,
    PasskeyAlreadyAdded,
    PasskeyLate,
    ReauthenticationNeeded,
    TooManyPasskeys,
)
from medonline.domain.passkeys import MOST_PASSKEYS, PasskeyPurpose, PasskeyRemovedWhy, passkey_name
from medonline.domain.phone import PhoneNumber
from medonline.services.clock import Clock
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import SignedIn
from medonline.services.notices import texts
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About, Text
from medonline.services.passkey_removal import remove_one
from medonline.services.passkeys.ceremonies import NewKey, creation_options, read_registration, verify_registration
from medonline.services.passkeys.challenges import Challenges
from medonline.services.security_journal import entries
from medonline.services.security_journal.account_pace import AccountPace, Act
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import login, passkeys, patients
from medonline.storage.tables.passkeys import Passkey, PasskeyOffer
from medonline.storage.tables.patients import Patient


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its owner sees it. Times are UTC. `backed_up`: the passkey is also in the owner's cloud."""

    number: str
    name: str
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnPasskeys:
    """The use case. Every method refuses a client that is not signed in (`NotSignedIn`)."""

    database: Database
    clock: Clock
    sessions: AccountSessionService
    challenges: Challenges
    notices: NoticeService
    journal: SecurityJournal
    pace: AccountPace
    reauthentication_window: timedelta

    @property
    def on(self) -> bool:
        """Whether this portal has passkeys at all."""
        return self.challenges.party is not None

    async def all(self, session_key: str) -> tuple[PasskeyView, ...]:
        """The passkeys that open the account, the oldest first.

        Raises:
            NotSignedIn: the session is over.
        """
        me = await self.sessions.required(session_key)
        rows = await self.database.read(passkeys.of_patient, me.patient_id)
        return tuple(PasskeyView(row.id, row.name, row.backed_up, row.created_at, row.last_used_at) for row in rows)

    async def begin(self, client: Client) -> dict[str, Any]:
        """What the browser needs to make a key.

        Raises:
            NotSignedIn, PasskeysOff, CookiesMissing, TooManyPasskeyTries: see the errors.
            ReauthenticationNeeded: the last proof of who is asking is too old.
            TooManyPasskeys, SettingsSavedTooOften, ToldTooOften: the passkey would not be added.
        """
        party = self.challenges.required()
        me = await self._fresh(client)
        await self.challenges.admit(client)
        patient, have = await self._room(me)
        handle = have[0].handle if have else bytes_to_base64url(generate_user_handle())
        # Passkeys are synchronised with the patient's other devices, and so stored in another company's cloud: they must not name the whole
        # number.
        account = PhoneNumber(patient.phone).masked if patient.phone else party.account
        options, challenge = creation_options(party, handle, account, me.first_name or account, have)
        await self.challenges.keep(client, PasskeyPurpose.ADD, challenge, handle)
        return options

    async def add(self, client: Client, answer: Mapping[str, Any], typed_name: str) -> str:
        """Keep the key that the device made, and tell the owner. Returns the passkey's name.

        Raises:
            NotSignedIn, ReauthenticationNeeded, PasskeysOff: as for `begin`.
            PasskeyRefused: one of its leaves; nothing was added.
            SettingsSavedTooOften, ToldTooOften, NoticesOverBudget: nothing was added.
        """
        party = self.challenges.required()
        me = await self._fresh(client)
        credential, challenge = read_registration(answer)
        taken = await self.challenges.take(client, PasskeyPurpose.ADD, challenge)
        key = await verify_registration(party, credential, challenge)
        name = passkey_name(typed_name, client.device.name or party.device)
        try:
            await self._add(me, key, taken.handle, name)
        except IntegrityError:  # two answers came at once
            raise PasskeyAlreadyAdded from None
        return name

    async def rename(self, session_key: str, number: str, typed_name: str) -> str:
        """Rename a passkey. Returns its name, which stays the same when nothing was typed.

        Raises:
            NotSignedIn: the session is over.
            NoSuchPasskey: it does not exist (any more), or belongs to another account.
        """
        me = await self.sessions.required(session_key)
        return await self._rename(me, number, typed_name)

    async def remove(self, session_key: str, number: str) -> int:
        """Remove a passkey, and tell the owner. Returns how many other sessions ended because a passkey had opened them.

        Raises:
            NotSignedIn: the session is over.
            ReauthenticationNeeded: the last proof of who is asking is too old.
            NoSuchPasskey: it does not exist (any more), or belongs to another account.
            SettingsSavedTooOften, ToldTooOften, NoticesOverBudget: nothing was removed.
        """
        return await self._remove(await self._fresh(Client(session_key=session_key)), number)

    async def is_offered(self, session_key: str) -> bool:
        """Whether this session offers a passkey. If so, it is recorded. An account gets one offer, in the session that asked first, until
        it is answered.

        False where nobody is signed in.
        """
        me = await self.sessions.login.who(session_key) if session_key and self.on else None
        return me is not None and await self._offer(me)

    async def answer_offer(self, session_key: str) -> None:
        """The patient chose «Не сейчас» or added a passkey: do not offer one again."""
        await self._answer_offer(await self.sessions.required(session_key))

    async def _fresh(self, client: Client) -> SignedIn:
        me = await self.sessions.required(client.session_key)
        if self.clock() - me.authenticated_at > self.reauthentication_window:
            raise ReauthenticationNeeded
        return me

    @reads
    def _room(self, session: Session, me: SignedIn) -> tuple[Patient, list[Passkey]]:
        """Refuse what `_add` would refuse before the device makes a key."""
        patient = session.get(Patient, me.patient_id)
        have = passkeys.of_patient(session, me.patient_id)
        if patient is None:
            raise NotSignedIn
        self._require_room(session, me, have)
        if patient.phone:
            self.notices.admit(session, me.patient_id, About.PASSKEY)
        return patient, have

    def _require_room(self, session: Session, me: SignedIn, have: list[Passkey]) -> None:
        if len(have) >= MOST_PASSKEYS:
            raise TooManyPasskeys(MOST_PASSKEYS)
        self.pace.admit(session, me.patient_id, Act.SAVE, self.clock())

    @writes
    def _add(self, session: Session, me: SignedIn, key: NewKey, handle: str, name: str) -> None:
        patient = self._held(session, me)
        have = passkeys.of_patient(session, patient.id)
        self._require_room(session, me, have)
        if have and have[0].handle != handle:
            raise PasskeyLate  # another tab has added the first passkey meanwhile, under a handle of its own
        if passkeys.credential_exists(session, key.credential_id):
            raise PasskeyAlreadyAdded
        session.add(
            Passkey(
                patient_id=patient.id,
                handle=handle,
                credential_id=key.credential_id,
                public_key=key.public_key,
                sign_count=key.sign_count,
                transports=key.transports,
                aaguid=key.aaguid,
                device_type=key.device_type,
                backed_up=key.backed_up,
                name=name,
                created_at=self.clock(),
            )
        )
        session.flush()
        self._tell(session, patient, Text.PASSKEY_ADDED)
        self.journal.note(session, entries.passkey_added(patient.id, name, me.device))

    @writes
    def _rename(self, session: Session, me: SignedIn, number: str, typed: str) -> str:
        patient = self._held(session, me)
        chosen = next((row for row in passkeys.of_patient(session, patient.id) if row.id == number), None)
        if chosen is None:
            raise NoSuchPasskey
        name = passkey_name(typed, chosen.name)
        passkeys.set_name(session, patient.id, number, name)
        return name

    @writes
    def _remove(self, session: Session, me: SignedIn, number: str) -> int:
        patient = self._held(session, me)
        self.pace.admit(session, patient.id, Act.SAVE, self.clock())
        ended = remove_one(session, self.journal, patient.id, number, PasskeyRemovedWhy.SETTINGS, me.client)
        self._tell(session, patient, Text.PASSKEY_REMOVED)
        return ended

    @writes
    def _offer(self, session: Session, me: SignedIn) -> bool:
        now = self.clock()
        patient = self._held(session, me)
        if passkeys.of_patient(session, patient.id):
            return False
        offer = passkeys.offer_of(session, patient.id)
        if offer is None:
            session.add(PasskeyOffer(patient_id=patient.id, shown_at=now))
            return True
        began = login.begun_at(session, me.session_key)
        return offer.answered_at is None and began is not None and began <= offer.shown_at

    @writes
    def _answer_offer(self, session: Session, me: SignedIn) -> None:
        patient = self._held(session, me)
        offer = passkeys.offer_of(session, patient.id) or PasskeyOffer(patient_id=patient.id, shown_at=self.clock())
        offer.answered_at = offer.answered_at or self.clock()
        session.add(offer)

    @staticmethod
    def _held(session: Session, me: SignedIn) -> Patient:
        patient = patients.by_id_held(session, me.patient_id)
        if patient is None or not login.is_open(session, me.session_key):
            raise NotSignedIn
        return patient

    def _tell(self, session: Session, patient: Patient, text: Text) -> None:
        for told in texts.of_passkey(patient.phone, text):
            self.notices.put(session, patient.id, told)
