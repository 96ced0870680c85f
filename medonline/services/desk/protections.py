"""What holds patients back, as an operator sees and ends it: the circuit breaker of calls, and wrong passwords that were counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.limits.sign_in_limits import Counted, SignInLimits
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import codes_circuit_breaker, patients


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
    """The use case. most_misses, within: of the breaker."""

    database: Database
    clock: Clock
    journal: SecurityJournal
    sign_ins: SignInLimits
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

    async def forgive(self, typed_phone: str, address: str) -> None:
        """Begin the count of wrong passwords for this account from this network again; the network's own stays.

        Raises:
            InvalidPhone: see there.
        """
        phone = PhoneNumber.parse(typed_phone)
        await self._note_reset(phone)
        await self.sign_ins.forgive(phone.e164, Client(address=address))

    @writes
    def _note_reset(self, session: Session, phone: PhoneNumber) -> None:
        patient = patients.by_phone(session, phone.e164)
        self.journal.note(session, JournalNote(JournalEvent.LIMITS_RESET, patient.id if patient else "", phone.e164))
