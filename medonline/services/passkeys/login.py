"""Sign-in by passkey. Nothing is typed, so nothing can reveal which numbers have an account. It ends with the ticket of every sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.errors import PasskeyRefused, PasskeyUnknown
from medonline.domain.login import Landing, LoginMethod
from medonline.domain.passkeys import PasskeyPurpose
from medonline.metrics import names as metrics
from medonline.services.clock import Clock
from medonline.services.login.tickets import SignIn, add_ticket
from medonline.services.passkeys.ceremonies import Assertion, Signed, read_assertion, request_options, verify_assertion
from medonline.services.passkeys.challenges import Challenges
from medonline.services.security_journal import entries
from medonline.services.security_journal.account_pace import AccountPace, Act
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database, writes
from medonline.storage.queries import passkeys, patients
from medonline.storage.tables.passkeys import Passkey

_LANDINGS = {PasskeyPurpose.SIGN_IN: Landing.CARDS, PasskeyPurpose.RECOVERY: Landing.NEW_PASSWORD}


@dataclass(frozen=True, slots=True)
class PasskeyLogin:
    """The use case. The client's browser answers the challenge that it was given."""

    database: Database
    clock: Clock
    challenges: Challenges
    pace: AccountPace
    journal: SecurityJournal

    async def begin(self, client: Client, purpose: PasskeyPurpose) -> dict[str, Any]:
        """What the browser asks its devices for.

        Raises:
            PasskeysOff, CookiesMissing, TooManyPasskeyTries: see the errors.
        """
        party = self.challenges.required()
        await self.challenges.admit(client)
        options, challenge = request_options(party)
        await self.challenges.keep(client, purpose, challenge)
        return options

    async def log_in(self, client: Client, purpose: PasskeyPurpose, answer: Mapping[str, Any]) -> str:
        """A ticket (single use, 30 s, this browser only) for the route that sets the session cookie.

        After `RECOVERY` it leads to the fields of the new password.

        Raises:
            PasskeyRefused: one of its leaves.
            SignedInTooOften: there were too many sign-ins to this account.
        """
        party = self.challenges.required()
        try:
            assertion = read_assertion(answer)
            await self.challenges.take(client, purpose, assertion.challenge)
            key = await self._key(assertion)
            signed = await verify_assertion(party, assertion, key)
            return await self._accept(client, purpose, assertion, signed)
        except PasskeyRefused:
            metrics.SIGN_INS.add(LoginMethod.PASSKEY, "wrong")
            raise

    async def _key(self, assertion: Assertion) -> Passkey:
        found = await self.database.read(passkeys.with_patient, assertion.credential_id)
        if found is None:
            raise PasskeyUnknown(assertion.credential_id)
        return found[0]

    @writes
    def _accept(
        self, session: Session, client: Client, purpose: PasskeyPurpose, assertion: Assertion, signed: Signed
    ) -> str:
        now = self.clock()
        found = passkeys.with_patient(session, assertion.credential_id)
        # The patient is held and the passkey is read again. Whoever removes the passkey at this moment comes first, or finds the ticket of
        # this sign-in.
        patient = patients.by_id_held(session, found[1].id) if found else None
        found = passkeys.with_patient(session, assertion.credential_id)
        if found is None or patient is None or found[0].patient_id != patient.id:
            raise PasskeyUnknown(assertion.credential_id)
        self.pace.admit(session, patient.id, Act.SIGN_IN, now)
        key = found[0]
        if signed.sign_count < key.sign_count:
            self.journal.note(session, entries.passkey_counted_back(patient.id, key.name, client.device))
        passkeys.record_use(session, key.id, signed.sign_count, signed.backed_up, now)
        return add_ticket(
            session, client.visitor_key, SignIn(patient, LoginMethod.PASSKEY, now, _LANDINGS[purpose]), now
        )
