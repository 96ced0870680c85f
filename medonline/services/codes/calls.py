"""Takes the reports of vendors about calls that patients make, and trusts each vendor only as far as it can.

A signed report makes the portal ask the vendor earlier. Only the vendor's answer counts. A vendor that cannot be asked names the caller in
an unsigned report. The portal believes it only when its address, its reference and the caller's number all belong to one row that waits.
Nothing is announced here: the browser that began takes up the call (`CodeFlow.take_call`).
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

    keys: the keys with which tokens in addresses may be made. wake: tells the dispatcher that it has to ask a vendor now.
    """

    database: Database
    clock: Clock
    keys: Sequence[bytes]
    vendors: Sequence[CodeChannel]
    dispatcher: CodeDispatcher
    wake: Callable[[], None]

    @property
    def signing(self) -> SignsReports | None:
        """The vendor that signs its reports. None where no such vendor is set up."""
        return next((one for one in self.vendors if isinstance(one, SignsReports)), None)

    async def take_signed(self, body: bytes) -> None:
        """Take a signed report, of a call or of anything else that this account sent. The vendor is then asked for the outcome.

        Raises:
            ForgedReport: the vendor did not sign it.
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
        """Take a report without a signature. A report of another caller changes nothing and is no forgery: somebody dialled a wrong number.

        Raises:
            ForgedReport: nobody was given this address, or the report cannot be read.
        """
        code_id = code_of_call(self.keys, token)
        if code_id is None:
            raise ForgedReport("an address that nobody was told")
        provider = await self._waiting_at(code_id)
        vendor = next((one for one in self.vendors if one.provider == provider), None)
        if not isinstance(vendor, NamesCaller):
            return  # the report came late or twice
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
