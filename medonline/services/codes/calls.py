"""Calls that patients make, as vendors tell of them: heard here, and believed only as far as each vendor can be.

A signed report hastens the question to the vendor, whose answer alone counts. A vendor that cannot be asked names the caller in a
report without a signature: that is believed when the address it came to, the reference and the caller's number are all those of one
row that waits. Nobody is told anything here: the browser that began takes the call up (`CodeFlow.take_call`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from medonline.domain.codes.patient_call import code_of_call
from medonline.services.clock import Clock
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.dispatcher import CodeDispatcher
from medonline.services.ports import CodeChannel, DeliveryReport, ForgedReport, NamesCaller, SignsReports
from medonline.storage.engine import Database, after_commit, reads, writes
from medonline.storage.queries import calls_of_patients

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PatientCalls:
    """Takes reports of the vendors that are set up for calls of patients.

    keys: that tokens in addresses may be made with. wake: a vendor is to be asked now.
    """

    database: Database
    clock: Clock
    keys: Sequence[bytes]
    vendors: Sequence[CodeChannel]
    dispatcher: CodeDispatcher
    wake: Callable[[], None]

    @property
    def signing(self) -> SignsReports | None:
        """The vendor whose reports are signed; None where none is set up."""
        return next((one for one in self.vendors if isinstance(one, SignsReports)), None)

    async def take_signed(self, body: bytes) -> None:
        """A signed report, of a call or of anything else that this account sent: the vendor is asked what became of it.

        Raises:
            ForgedReport: it is not the vendor's.
        """
        vendor = self.signing
        if vendor is None:
            raise ForgedReport("no vendor that signs is set up")
        references = vendor.read_report(body)
        if references:
            await self._hasten(vendor.provider, references)

    @writes
    def _hasten(self, session: Session, provider: str, references: list[str]) -> None:
        now = self.clock()
        found = [calls_of_patients.hasten(session, provider, one, DeliveryState.SENT, now) for one in references]
        if any(found):
            after_commit(session, self.wake)

    async def take_unsigned(self, token: str, body: bytes) -> None:
        """A report without a signature. One of another caller changes nothing, and is no forgery: somebody dialled a wrong number.

        Raises:
            ForgedReport: nobody was told this address, or it cannot be read.
        """
        code_id = code_of_call(self.keys, token)
        if code_id is None:
            raise ForgedReport("an address that nobody was told")
        provider = await self._waiting_at(code_id)
        vendor = next((one for one in self.vendors if one.provider == provider), None)
        if not isinstance(vendor, NamesCaller):
            return  # it came late or twice
        called = vendor.read_call(body)
        if called is None:
            raise ForgedReport("it cannot be read")
        reference, caller = called
        if await self._is_it(code_id, reference, caller.e164):
            await self.dispatcher.take_report(provider, reference, DeliveryReport.DELIVERED)
        else:
            log.info("A call came from another number than the awaited one")

    @reads
    def _waiting_at(self, session: Session, code_id: str) -> str:
        row = calls_of_patients.waiting(session, code_id, DeliveryState.SENT, self.clock())
        return "" if row is None else row.provider

    @reads
    def _is_it(self, session: Session, code_id: str, reference: str, phone: str) -> bool:
        row = calls_of_patients.waiting(session, code_id, DeliveryState.SENT, self.clock())
        return row is not None and (row.provider_ref, row.phone) == (reference, phone)
