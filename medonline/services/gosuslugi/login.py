"""Sign-in through the state's identity provider: start and finish. Consent or the proof of an old account may follow.

The journey is a row of this browser. The provider's data of an unknown person waits sealed for consent or proof, at most 15 minutes
(`services.gosuslugi.pending_person`). A refusal deletes it.

The module is long because `start` and `finish` share one row.
"""

from __future__ import annotations

import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.device import Device
from medonline.domain.errors import (
    AccountOfAnother,
    IdentityProblem,
    IdentityRefused,
    LimitReached,
    SignedInTooOften,
)
from medonline.domain.login import Landing, LoginMethod
from medonline.domain.personal_data_consent import VERSION
from medonline.metrics import names as metrics
from medonline.services.clock import Clock
from medonline.services.crypto.field_encryption import SealBroken, Sealer
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.services.gosuslugi.consent import add_consent
from medonline.services.gosuslugi.linking import Linker, once_more, person_as_text
from medonline.services.limits.journey_limits import JourneyLimits
from medonline.services.login.new_devices import NewDevices
from medonline.services.login.password_login import OpenedSession
from medonline.services.login.tickets import NEVER, SignIn, add_session
from medonline.services.login.visitors import carry
from medonline.services.ports import AuthorizationRequest, Departure, IdentityPerson, IdentityProvider
from medonline.services.security_journal import entries
from medonline.services.security_journal.account_pace import AccountPace, Act
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database, after_commit, writes
from medonline.storage.queries import gosuslugi, patients
from medonline.storage.tables.gosuslugi import IdentityJourney, PendingIdentity
from medonline.storage.tables.patients import Patient

log = logging.getLogger(__name__)

_CODE = re.compile(r"([a-z][a-z_]{2,39})\Z", re.ASCII)
_VENDORS_CODE = re.compile(r"([A-Z]{2,10}-\d{3,8})\b", re.ASCII)

JOURNEY_LIFE = timedelta(minutes=10)
PENDING_LIFE = timedelta(minutes=15)


class Purpose(StrEnum):
    """What a journey is for. It decides where the journey ends."""

    LOGIN = "login"
    REGISTRATION = "registration"
    RECOVERY = "recovery"
    SETTINGS = "settings"

    @property
    def landing(self) -> Landing:
        """Where the patient lands (guide G09, G14)."""
        return {Purpose.RECOVERY: Landing.NEW_PASSWORD, Purpose.SETTINGS: Landing.SETTINGS}.get(self, Landing.CARDS)

    @property
    def needs_fresh_proof(self) -> bool:
        """Whether the journey ends where phone and password can be changed.

        A proof that the provider merely remembers is not enough for that.
        """
        return self in (Purpose.RECOVERY, Purpose.SETTINGS)


class Waiting(StrEnum):
    """What a person who is not known yet must answer."""

    CONSENT = "consent"
    PROOF = "proof"


@dataclass(frozen=True, slots=True)
class JourneyReturn:
    """What the browser brought back in the address. The texts may contain anything."""

    state: str
    code: str = ""
    error: str = ""
    error_description: str = ""
    issuer: str | None = None  # the parameter `iss`; None when it was missing, which differs from an empty one


@dataclass(frozen=True, slots=True)
class IdentityService:
    """The use case. The journey belongs to the client's browser, by its `visitor_key`."""

    database: Database
    clock: Clock
    provider: IdentityProvider | None
    linker: Linker
    persons: Sealer
    consent_hash: str
    allow_unconfirmed: bool
    journal: SecurityJournal
    limits: JourneyLimits
    pace: AccountPace
    new_devices: NewDevices

    async def start(
        self,
        client: Client,
        purpose: Purpose,
        redirect_uri: str,
        consent_version: str = "",
        *,
        signed_in: bool = False,
        onward_uri: str = "",
        next_key: str = "",
    ) -> str:
        """Begin a journey, and return the address to which the browser goes. An earlier journey of this browser ends.

        Args:
            consent_version: the consent that was given on the way here, if any.
            signed_in: whether a session is open in this browser: then the provider must ask for a fresh proof and not remember one.
            onward_uri: the address to which the provider returns a browser that must first sign out there (`onward`).
            next_key: the browser's visitor key from here on, if it changes. A copy of the old cookie is then on no journey.

        Raises:
            TooManyJourneys: in this browser, or from this network.
            IdentityRefused: the provider is not set up or not reachable, or too many requests wait for their signature.
        """
        provider = self._required_provider()
        now = self.clock()
        await self.limits.admit(client, now)
        fresh = signed_in or purpose.needs_fresh_proof
        journey = IdentityJourney(
            state_hash="",
            visitor_key=next_key or client.visitor_key,
            purpose=purpose,
            nonce=new_token(),
            code_verifier=new_token(),
            redirect_uri=redirect_uri,
            consent_version=consent_version if consent_version == VERSION else "",
            fresh=fresh,
            signing_out=fresh and provider.asks_after_sign_out,
            created_at=now,
        )
        return await self._leave(provider, journey, onward_uri, client.visitor_key)

    async def onward(self, client: Client) -> str:
        """Continue the journey of a browser that has signed out at the provider. Returns the address to which it goes now.

        Raises:
            IdentityRefused: STALE: this browser is on no such journey. Otherwise as for `start`.
        """
        provider = self._required_provider()
        now = self.clock()
        journey = await self.database.read(gosuslugi.signing_out, client.visitor_key, now - JOURNEY_LIFE)
        if journey is None or not client.visitor_key:
            raise IdentityRefused(IdentityProblem.STALE, "no journey of this browser signs out first")
        again = journey.model_copy(update={"signing_out": False, "created_at": now})
        return await self._leave(provider, again)

    async def _leave(
        self, provider: IdentityProvider, journey: IdentityJourney, onward_uri: str = "", came_as: str = ""
    ) -> str:
        # ESIA wants a UUID. All 128 bits of this one are random.
        state = str(UUID(bytes=secrets.token_bytes(16)))
        journey.state_hash = token_hash(state)
        # It comes before the row is written: a journey that leads nowhere costs no write.
        away = await provider.sign_out("", onward_uri) if journey.signing_out else None
        journey.signing_out = away is not None
        url = away.url if away else await provider.authorization_url(_request_of(journey, state))
        await self._add_journey(journey, came_as)
        return url

    @writes
    def _add_journey(self, session: Session, journey: IdentityJourney, came_as: str) -> None:
        gosuslugi.forget_before(session, self.clock() - max(JOURNEY_LIFE, PENDING_LIFE))
        if came_as not in ("", journey.visitor_key):
            carry(session, came_as, journey.visitor_key)
        gosuslugi.replace_journey(session, journey)

    async def refused(self, client: Client) -> LimitReached | None:
        """What `start` would raise for this browser now, or None. It counts nothing."""
        return await self.limits.refusal(client, self.clock())

    async def finish(self, client: Client, back: JourneyReturn) -> OpenedSession | Waiting:
        """Take back a browser from the provider. Returns a session, or what the person must answer first.

        Raises:
            IdentityRefused: its problem says why. The journey is used up nevertheless.
        """
        provider = self._required_provider()
        journey = await self._taken(client.visitor_key, back.state)
        if journey is None:
            raise IdentityRefused(IdentityProblem.STALE, "no journey of this browser has this state")
        await provider.check_return(back.issuer)
        if back.error or not back.code:
            problem = provider.problem_of(back.error[:100], back.error_description[:300])
            raise IdentityRefused(problem, f"the provider sent the browser back without a code{_named(back)}")
        person = await provider.fetch_person(back.code, _request_of(journey, back.state))
        if not person.confirmed and not self.allow_unconfirmed:
            raise IdentityRefused(IdentityProblem.NOT_CONFIRMED)
        return await once_more(lambda: self._admit(client, journey, person))

    async def _taken(self, visitor_key: str, state: str) -> IdentityJourney | None:
        """Use up the journey of this browser. None when there is none that may go on."""
        state_hash = token_hash(state)
        if not visitor_key or not await self.database.read(gosuslugi.has_journey, state_hash, visitor_key):
            return None  # anybody may come with any state: one that does not belong to this browser costs no lock
        now = self.clock()
        return await self.database.write(gosuslugi.take_journey, state_hash, visitor_key, now - JOURNEY_LIFE, now)

    async def sign_out(self, provider_token_sealed: str, return_to: str) -> Departure | None:
        """Where the browser must go to end the provider's session, too. None when that is not known now."""
        if self.provider is None:
            return None
        try:
            return await self.provider.sign_out(self.persons.open(provider_token_sealed), return_to)
        except SealBroken:
            return None  # it was sealed with a key that is gone
        except IdentityRefused as error:
            # Fails open: the portal's own session is over already, and a dead provider must not keep the patient here.
            log.warning("The provider's sign-out is not reachable: %s", error)
            return None

    @writes
    def _admit(
        self, session: Session, client: Client, journey: IdentityJourney, person: IdentityPerson
    ) -> OpenedSession | Waiting:
        now = self.clock()
        if not gosuslugi.hold_journey(session, journey.state_hash, client.visitor_key):
            # While the provider was answering, this browser began another journey or somebody signed in. So this journey is over.
            raise IdentityRefused(IdentityProblem.STALE, "the journey was given up meanwhile")
        gosuslugi.forget_pending(session, client.visitor_key)
        patient = self._known(session, person, client.device, now)
        if patient is None and self.linker.candidate(session, person) is not None:
            return self._add_pending(session, client.visitor_key, journey, person, Waiting.PROOF)
        if patient is None and journey.consent_version != VERSION:
            return self._add_pending(session, client.visitor_key, journey, person, Waiting.CONSENT)
        if patient is None:
            patient = self.linker.register(session, person, now)
            add_consent(session, patient.id, self.consent_hash, now)
            self.journal.note(session, *entries.registered(patient.id, client.device))
        sign_in = sign_in_of(patient, person, Purpose(journey.purpose), self.persons)
        session.flush()
        try:
            self.pace.admit(session, patient.id, Act.SIGN_IN, now)
        except SignedInTooOften as refusal:
            raise IdentityRefused(IdentityProblem.TOO_OFTEN, f"into one account, {refusal}") from None
        self.journal.note(session, entries.signed_in(patient.id, sign_in.method, client.device))
        after_commit(session, partial(metrics.SIGN_INS.add, sign_in.method, "opened"))
        token = add_session(session, sign_in, client.device, now)
        return OpenedSession(token, sign_in.landing, self.new_devices.note(session, client, sign_in, now))

    def _known(self, session: Session, person: IdentityPerson, device: Device, now: datetime) -> Patient | None:
        opened = gosuslugi.linked(session, person.issuer, person.subject)
        if opened is not None:
            # The patient is held first, as in everything that changes an account: another order would end in a deadlock.
            patients.by_id_held(session, opened[1].id)
            return self.linker.known(session, person, now)
        candidate = self.linker.candidate(session, person)
        if candidate is None or candidate.how is None:
            return None
        patients.by_id_held(session, candidate.patient.id)
        try:
            new = self.linker.link(session, candidate.patient, person, candidate.how, now)
        except AccountOfAnother:
            return None  # another identity opens the account already, so only a proof can decide
        if new:
            self.journal.note(session, entries.linked(candidate.patient.id, candidate.how, device))
        return candidate.patient

    def _add_pending(
        self,
        session: Session,
        visitor_key: str,
        journey: IdentityJourney,
        person: IdentityPerson,
        waiting: Waiting,
    ) -> Waiting:
        session.add(
            PendingIdentity(
                visitor_key=visitor_key,
                purpose=journey.purpose,
                waits_for=waiting,
                sealed_person=self.persons.seal(person_as_text(person)),
                consent_version=journey.consent_version,
                created_at=self.clock(),
            )
        )
        return waiting

    def _required_provider(self) -> IdentityProvider:
        if self.provider is None:
            raise IdentityRefused(IdentityProblem.MISCONFIGURED, "no identity provider is configured")
        return self.provider


def sign_in_of(patient: Patient, person: IdentityPerson, purpose: Purpose, persons: Sealer) -> SignIn:
    """The sign-in in which the journey of this person ends. Its proof is as fresh as the provider says.

    If the provider does not say, it counts as no proof for changes of phone and password.
    """
    token = persons.seal(person.id_token)
    return SignIn(patient, LoginMethod.GOSUSLUGI, person.authenticated_at or NEVER, purpose.landing, token)


def _named(back: JourneyReturn) -> str:
    """The provider's error codes, for the log. Only what looks like a code is kept: the browser may send anything."""
    codes = [_CODE.match(back.error), _VENDORS_CODE.match(back.error_description)]
    named = ", ".join(code[1] for code in codes if code)
    return f" ({named})" if named else ""


def _request_of(journey: IdentityJourney, state: str) -> AuthorizationRequest:
    return AuthorizationRequest(
        state, journey.nonce, journey.code_verifier, journey.redirect_uri, journey.created_at, fresh=journey.fresh
    )
