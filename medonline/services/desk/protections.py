"""What holds patients back, as an operator sees and ends it: the circuit breaker of calls, and wrong passwords that were counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.codes.channels import CALLED
from medonline.domain.limits import Limit
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.limits.code_limits import CodeLimits
from medonline.services.limits.journey_limits import JourneyLimits
from medonline.services.limits.passkey_limits import PasskeyLimits
from medonline.services.limits.sign_in_limits import Counted, SignInLimits
from medonline.services.security_journal.account_pace import AccountPace, Act
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import codes_circuit_breaker, patients
from medonline.storage.queries.codes import last_to_phone

_ACTS = {Act.SIGN_IN: "sign-ins of the account", Act.PROOF: "proofs in the account", Act.SAVE: "saves of the account"}


@dataclass(frozen=True, slots=True)
class BreakerNow:
    """The breaker. `open_until` (UTC): None while it is closed. `times`: openings in a row. `misses`: wrong codes of the last while,
    over all phones; it opens beyond `most`."""

    open_until: datetime | None
    times: int
    misses: int
    most: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Protections:
    """The use case. per_phone: how many codes a number may be sent. most_misses, within: of the breaker."""

    database: Database
    clock: Clock
    journal: SecurityJournal
    sign_ins: SignInLimits
    codes: CodeLimits
    journeys: JourneyLimits
    passkeys: PasskeyLimits
    pace: AccountPace
    per_phone: tuple[Limit, ...]
    most_misses: int
    within: timedelta

    @reads
    def breaker(self, session: Session) -> BreakerNow:
        """The breaker now."""
        now = self.clock()
        row = codes_circuit_breaker.state(session)
        is_open = row.open_until is not None and now < row.open_until
        misses = codes_circuit_breaker.misses(session, after=now - self.within, since=row.open_until)
        return BreakerNow(row.open_until if is_open else None, row.times, misses, self.most_misses, self.within)

    @writes
    def close_breaker(self, session: Session) -> bool:
        """A call is enough again, at once and everywhere; whether it was open. What is wrong from now on counts as ever."""
        closed = codes_circuit_breaker.close(session, self.clock())
        if closed:
            self.journal.note(session, JournalNote(JournalEvent.BREAKER_CLOSED))
        return closed

    async def wrong_passwords(self, typed_phone: str, address: str) -> list[Counted]:
        """How many are counted for one account, and for all, from the network of an IP address.

        Raises:
            InvalidPhone: see there.
        """
        phone = PhoneNumber.parse(typed_phone)
        return await self.sign_ins.counted(phone.e164, Client(address=address))

    @reads
    def codes_to_phone(self, session: Session, typed_phone: str) -> list[Counted]:
        """How many codes went to a number, in each of its windows; they are counted in the record.

        Raises:
            InvalidPhone: see there.
        """
        phone, now = PhoneNumber.parse(typed_phone), self.clock()
        issued = last_to_phone(session, phone.e164, 2 * max(limit.count for limit in self.per_phone))
        codes = [code.issued_at for code in issued if code.channel not in CALLED]
        calls = [code.issued_at for code in issued if code.channel in CALLED]
        return [
            Counted(of, "", limit, sum(at > now - limit.per for at in moments))
            for of, moments in (("codes to the number", codes), *((("calls from the number", calls),) if calls else ()))
            for limit in self.per_phone
        ]

    async def codes_from(self, typed_phone: str, address: str) -> list[Counted]:
        """How many codes are counted for a network and for the numbers around this one.

        Raises:
            InvalidPhone: see there.
        """
        return await self.codes.counted(PhoneNumber.parse(typed_phone), address)

    async def ways_from(self, address: str) -> list[Counted]:
        """How many journeys to Gosuslugi and tries by passkey are counted for a network."""
        client = Client(address=address)
        return [*await self.journeys.counted(client), *await self.passkeys.counted(client)]

    @reads
    def pace_of(self, session: Session, typed_phone: str) -> list[Counted]:
        """How often the account of a number did what the journal keeps; nothing where it has no account.

        Raises:
            InvalidPhone: see there.
        """
        patient = patients.by_phone(session, PhoneNumber.parse(typed_phone).e164)
        if patient is None:
            return []
        counted = self.pace.counted(session, patient.id, self.clock())
        return [Counted(_ACTS[act], "", limit, count) for act, limit, count in counted]

    @writes
    def begin_pace_again(self, session: Session, typed_phone: str) -> bool:
        """Count the acts of a number's account anew from now on; whether it has an account. The journal keeps the acts themselves.

        Raises:
            InvalidPhone: see there.
        """
        phone = PhoneNumber.parse(typed_phone)
        patient = patients.by_phone(session, phone.e164)
        if patient is not None:
            self.journal.note(session, JournalNote(JournalEvent.PACE_RESET, patient.id, phone.e164))
        return patient is not None

    async def forgive(self, typed_phone: str, address: str, *, codes: bool = False, ways: bool = False) -> None:
        """Begin the count of wrong passwords for this account from this network again; the network's own stays. `codes`: and the
        counts of codes that the network asked for and did not confirm, or mistyped. `ways`: and its journeys to Gosuslugi and
        tries by passkey.

        Raises:
            InvalidPhone: see there.
        """
        phone = PhoneNumber.parse(typed_phone)
        client = Client(address=address)
        which = ["passwords", *(["codes"] if codes else []), *(["gosuslugi", "passkeys"] if ways else [])]
        await self._note_reset(phone, ", ".join(which))
        await self.sign_ins.forgive(phone.e164, client)
        if ways:
            await self.journeys.forgive(client)
            await self.passkeys.forgive(client)
        if codes:
            await self.codes.forgive(phone, address)

    @writes
    def _note_reset(self, session: Session, phone: PhoneNumber, which: str) -> None:
        patient = patients.by_phone(session, phone.e164)
        whose = patient.id if patient else ""
        self.journal.note(session, JournalNote(JournalEvent.LIMITS_RESET, whose, phone.e164, details={"limits": which}))
