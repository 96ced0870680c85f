"""The possible answers of an unknown person who came back from the identity provider: consent, refusal, or a proof."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlmodel import Session

from medonline.domain.birth_date import written
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.one_time_code import digits_typed
from medonline.domain.device import Device
from medonline.domain.errors import (
    AccountOfAnother,
    CodeNotEnough,
    CodeRefused,
    InvalidCredentials,
    NoPendingIdentity,
    RecoveryStopped,
)
from medonline.domain.gosuslugi import LinkedHow
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.phone import PhoneNumber
from medonline.services.clock import Clock
from medonline.services.codes.flow import CodeFlow, CodeView
from medonline.services.codes.issuing import topic_of
from medonline.services.codes.step_up import StepUp
from medonline.services.crypto.field_encryption import SealBroken, Sealer
from medonline.services.gosuslugi.consent import add_consent
from medonline.services.gosuslugi.linking import (
    Linker,
    contradicts,
    once_more,
    person_from_text,
    phone_hint,
    wants_birth_date,
)
from medonline.services.gosuslugi.login import PENDING_LIFE, Purpose, Waiting, sign_in_of
from medonline.services.limits.code_limits import CodeGuess, CodePlace
from medonline.services.login.password_login import LoginService
from medonline.services.login.tickets import add_ticket
from medonline.services.notices import texts
from medonline.services.notices.sender import NoticeService
from medonline.services.ports import IdentityPerson
from medonline.services.security_journal import entries
from medonline.services.security_journal.account_pace import Act
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database, announce, reads, writes
from medonline.storage.queries import gosuslugi as identities
from medonline.storage.queries import patients
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.gosuslugi import PendingIdentity
from medonline.storage.tables.patients import Patient

PURPOSE = "identity_proof"


@dataclass(frozen=True, slots=True)
class PendingView:
    """The person who waits, for a screen: their own data, shown to themselves. `code` is the code on its way, if there is one."""

    waits_for: Waiting
    full_name: str
    birth_date: str
    phone: str
    code: CodeView | None


@dataclass(frozen=True, slots=True)
class IdentityAnswers:
    """The use case. Every answer ends in a ticket for the route that sets the session cookie, or has no effect at all."""

    database: Database
    clock: Clock
    linker: Linker
    persons: Sealer
    login: LoginService
    codes: CodeFlow
    consent_hash: str
    step_up: StepUp
    notices: NoticeService
    journal: SecurityJournal

    @reads
    def current(self, session: Session, client: Client) -> PendingView | None:
        """The person who waits in this browser. None when nobody does (any more)."""
        try:
            pending, person = self._pending(session, client.visitor_key)
        except NoPendingIdentity:
            return None
        return PendingView(
            waits_for=Waiting(pending.waits_for),
            full_name=" ".join(filter(None, (person.last_name, person.first_name, person.patronymic))),
            birth_date=written(person.birth_date),
            phone=phone_hint(person),
            code=self.codes.view(session, pending.id, self.clock()),
        )

    async def consent(self, client: Client) -> str:
        """«Да, я согласен»: make the account. Returns a ticket.

        Raises:
            NoPendingIdentity: nobody waits for consent in this browser.
        """
        return await once_more(lambda: self._consent(client))

    @writes
    def _consent(self, session: Session, client: Client) -> str:
        pending, person = self._pending(session, client.visitor_key)
        if pending.waits_for != Waiting.CONSENT:
            raise NoPendingIdentity
        return self._registered(session, pending, person, client.device)

    async def refuse(self, client: Client) -> None:
        """«Нет, я отказываюсь»: delete everything of the person."""
        if not client.visitor_key or not await self.database.read(identities.has_anything, client.visitor_key):
            return  # anybody may ask for this: where nobody waits, it costs no lock
        await self._forget(client.visitor_key)

    @writes
    def _forget(self, session: Session, visitor_key: str) -> None:
        identities.forget_pending(session, visitor_key)
        identities.forget_journeys_of(session, visitor_key)

    async def not_mine(self, client: Client) -> str:
        """The old account belongs to somebody else: go on as a new patient.

        Returns a ticket when consent was given on the way here. Otherwise the text is empty, and consent comes next.

        Raises:
            NoPendingIdentity: nobody waits for a proof in this browser.
        """
        return await once_more(lambda: self._not_mine(client))

    @writes
    def _not_mine(self, session: Session, client: Client) -> str:
        pending, person = self._pending(session, client.visitor_key)
        if pending.waits_for != Waiting.PROOF:
            raise NoPendingIdentity
        if pending.consent_version != VERSION:
            pending.waits_for = Waiting.CONSENT
            session.add(pending)
            return ""
        return self._registered(session, pending, person, client.device)

    @writes
    def have_account(self, session: Session, client: Client) -> None:
        """Go back from consent to the proof: the person remembers an account with some number.

        Raises:
            NoPendingIdentity: nobody waits in this browser.
        """
        pending, _ = self._pending(session, client.visitor_key)
        pending.waits_for = Waiting.PROOF
        session.add(pending)

    async def prove_by_password(self, client: Client, typed_phone: str, typed_password: str) -> str:
        """Link the old account by its phone and password. Returns a ticket.

        Raises:
            NoPendingIdentity, AccountOfAnother: see the errors.
            InvalidPhone, InvalidPassword, InvalidCredentials, LimitReached, Busy: as for sign-in.
        """
        await self.database.read(self._pending, client.visitor_key)
        patient = await self.login.verified(client, typed_phone, typed_password)
        return await once_more(
            lambda: self._link(client, patient.id, LinkedHow.PASSWORD, password_hash=patient.password_hash)
        )

    async def send_code(self, client: Client, typed_phone: str, channel: ChannelName) -> None:
        """Record the intent to send a code to the old account's phone. An empty `typed_phone` means the same phone as before.

        Raises:
            NoPendingIdentity: nobody waits in this browser.
            InvalidPhone, ChannelUnavailable, RateLimited, LimitReached: as for recovery.
        """
        pending, _ = await self.database.read(self._pending, client.visitor_key)
        phone = PhoneNumber.parse(typed_phone or pending.proof_phone)
        async with self.codes.place(phone, channel, client.address, self.clock()) as place:
            await self._send_code(client.visitor_key, place, channel)

    @writes
    def _send_code(self, session: Session, visitor_key: str, place: CodePlace, channel: ChannelName) -> None:
        pending, _ = self._pending(session, visitor_key)
        # Read under the lock, so that the codes of two tabs are in the order in which they were asked for.
        now = self.clock()
        pending.proof_phone = place.phone.e164
        session.add(pending)
        self.codes.resend(session, self.codes.request(pending.id, place, channel), now)

    async def confirm_code(self, client: Client, typed: str) -> str:
        """Accept the code that proves the phone and so the old account. Returns a ticket, or an empty text when the phone has no account.

        Raises:
            NoPendingIdentity, AccountOfAnother: see the errors.
            CodeRefused: one of its leaves.
            TooManyWrongCodes: in this network; nothing was compared.
            CodeNotEnough: a recovery would ask for the birth date, too, and the date from Gosuslugi does not answer that. While guessing is
                suspected, it is also raised for a number without an account.
            RecoveryStopped: the account's owner said «это не я».
        """
        digits = digits_typed(typed)
        async with self.codes.guess(
            lambda session: self._last_code(session, client.visitor_key), self.clock()
        ) as guess:
            patient = await self._judge(client.visitor_key, digits, guess)
        # The refusal is raised only here, after the commit: a miss that is rolled back would be a free guess.
        if isinstance(patient, CodeRefused | CodeNotEnough):
            raise patient
        if patient is None:
            return ""
        return await once_more(lambda: self._link(client, patient.id, LinkedHow.CODE, proved_phone=patient.phone))

    @writes
    def _judge(
        self, session: Session, visitor_key: str, digits: str, guess: CodeGuess
    ) -> Patient | CodeRefused | CodeNotEnough | None:
        """The patient whose account the code has proved, None when its phone has no account, or the refusal to raise after the commit."""
        pending, person = self._pending(session, visitor_key)
        judged = self.codes.judge(session, self.codes.last_code(session, pending.id), digits, self.clock(), guess)
        if isinstance(judged, CodeRefused):
            return judged
        # Use the phone of the accepted code, never the one that was asked for last: another tab may have asked.
        patient = patients.by_phone(session, judged.phone)
        refusal = self._refusal_of_code(session, judged, patient, person, guess)
        if refusal is None and patient is None:
            pending.waits_for = Waiting.CONSENT
            session.add(pending)
        return refusal or patient

    def _last_code(self, session: Session, visitor_key: str) -> OneTimeCodeRow | None:
        return self.codes.last_code(session, self._pending(session, visitor_key)[0].id)

    def _refusal_of_code(
        self, session: Session, code: OneTimeCodeRow, patient: Patient | None, person: IdentityPerson, guess: CodeGuess
    ) -> CodeNotEnough | None:
        """Why the code is not enough, by the same signs as in a recovery. A code alone must not hand over more here than there.

        Only the person's own account goes on without more. Another person's account and a number without an account face the signs that
        every number has, but not the age of an account's proof. Otherwise consent, which only an unknown number leads to, would tell the
        two apart.
        """
        own = patient if patient is not None and not contradicts(patient, person) else None
        if own is not None and not wants_birth_date(own, person):
            return None
        now = self.clock()
        signs = self.step_up.signs(session, code, own, now, suspicious_network=guess.suspicious)
        if not self.step_up.policy.is_needed(signs, now):
            return None
        offered = self.codes.open_channels(session, now)
        enough = (one for one in offered if not self.step_up.policy.is_needed(replace(signs, channel=one), now))
        return CodeNotEnough(better=next(enough, None))

    def _registered(self, session: Session, pending: PendingIdentity, person: IdentityPerson, device: Device) -> str:
        """A ticket to the new account, or to the account that the same person has made in another browser meanwhile."""
        now = self.clock()
        patient = self.linker.known(session, person, now)
        if patient is None:
            patient = self.linker.register(session, person, now)
            add_consent(session, patient.id, self.consent_hash, now)
            self.journal.note(session, *entries.registered(patient.id, device))
        return self._let_in(session, pending, person, patient)

    @writes
    def _link(
        self,
        session: Session,
        client: Client,
        patient_id: str,
        how: LinkedHow,
        *,
        password_hash: str | None = None,
        proved_phone: str | None = None,
    ) -> str:
        pending, person = self._pending(session, client.visitor_key)
        patient = patients.by_id_held(session, patient_id)
        if patient is None:
            raise NoPendingIdentity
        if how is LinkedHow.PASSWORD and patient.password_hash != password_hash:
            # The password has changed since it was verified, so it proves nothing any more (I3).
            raise InvalidCredentials
        if how is LinkedHow.CODE and patient.phone != proved_phone:
            # The account's number has changed since the code was accepted, so the code proved nothing about this account.
            raise AccountOfAnother
        stopped = patient.recovery_stopped_until
        if how is LinkedHow.CODE and stopped is not None and self.clock() < stopped:
            raise RecoveryStopped(self.clock(), stopped)  # just now a code to this phone proves nothing
        if self.linker.link(session, patient, person, how, self.clock()):
            self.journal.note(session, entries.linked(patient.id, how, client.device))
            for told in texts.of_link(patient.phone):
                self.notices.put(session, patient.id, told)
        if how is LinkedHow.CODE:
            # It is recorded only now: a person who holds a reissued number and is refused here must not make the account's proof look
            # fresh.
            patients.record_phone_proof(session, patient.id, self.clock())
        if how is LinkedHow.PASSWORD:
            person = replace(person, authenticated_at=self.clock())  # the account's own password was asked for just now
        return self._let_in(session, pending, person, patient)

    def _let_in(self, session: Session, pending: PendingIdentity, person: IdentityPerson, patient: Patient) -> str:
        self.login.pace.admit(session, patient.id, Act.SIGN_IN, self.clock())
        announce(session, topic_of(pending.proof_phone))
        session.delete(pending)
        sign_in = sign_in_of(patient, person, Purpose(pending.purpose), self.persons)
        return add_ticket(session, pending.visitor_key, sign_in, self.clock())

    def _pending(self, session: Session, visitor_key: str) -> tuple[PendingIdentity, IdentityPerson]:
        pending = identities.pending_of(session, visitor_key, self.clock() - PENDING_LIFE)
        if pending is None or not visitor_key:
            raise NoPendingIdentity
        try:
            return pending, person_from_text(self.persons.open(pending.sealed_person))
        except SealBroken:
            raise NoPendingIdentity from None  # the key was changed meanwhile: the person must sign in again
