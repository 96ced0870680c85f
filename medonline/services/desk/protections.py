"""What holds patients back, as an operator sees and ends it: the circuit breaker of calls, and wrong passwords that were counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.limits import Limit
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.limits.code_limits import CodeLimits
from medonline.services.limits.sign_in_limits import Counted, SignInLimits
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import codes_circuit_breaker, patients
from medonline.storage.queries.codes import last_to_phone


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
        issued = last_to_phone(session, phone.e164, max(limit.count for limit in self.per_phone))
        return [
            Counted("codes to the number", "", limit, sum(code.issued_at > now - limit.per for code in issued))
            for limit in self.per_phone
        ]

    async def codes_from(self, typed_phone: str, address: str) -> list[Counted]:
        """How many codes are counted for a network and for the numbers around this one.

        Raises:
            InvalidPhone: see there.
        """
        return await self.codes.counted(PhoneNumber.parse(typed_phone), address)

    async def forgive(self, typed_phone: str, address: str, *, codes: bool = False) -> None:
        """Begin the count of wrong passwords for this account from this network again; the network's own stays. `codes`: and the
        counts of codes that the network asked for and did not confirm, or mistyped.

        Raises:
            InvalidPhone: see there.
        """
        phone = PhoneNumber.parse(typed_phone)
        await self._note_reset(phone, "passwords, codes" if codes else "passwords")
        await self.sign_ins.forgive(phone.e164, Client(address=address))
        if codes:
            await self.codes.forgive(phone, address)

    @writes
    def _note_reset(self, session: Session, phone: PhoneNumber, which: str) -> None:
        patient = patients.by_phone(session, phone.e164)
        whose = patient.id if patient else ""
        self.journal.note(session, JournalNote(JournalEvent.LIMITS_RESET, whose, phone.e164, details={"limits": which}))
