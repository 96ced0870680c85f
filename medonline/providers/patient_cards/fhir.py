"""The registry of medical cards over HL7 FHIR R4 (https://hl7.org/fhir/R4/): docs/cards.md has the mapping.

A card is a Patient resource of one clinic, a person has as many of them as clinics. Searches are sent as
`POST …/_search`: a СНИЛС or a policy in the address of a GET would be in the log of every server on its way. The
records found are compared with the number asked for, because a lenient server passes over parameters that it does not
know and answers with everybody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fhir.resources.R4B.coverage import Coverage
from fhir.resources.R4B.organization import Organization
from fhir.resources.R4B.patient import Patient

from medonline.domain.errors import DeliveryFailed, RegistryUnavailable
from medonline.providers.http import JsonClient
from medonline.providers.patient_cards.fhir_mapping import (
    Found,
    Systems,
    card_of,
    is_card,
    known_id,
    local_id,
    numbers,
    outcome,
    path_below,
    policy_number,
)
from medonline.services.ports import RegistryCard

__all__ = ["FhirCards", "Systems"]

log = logging.getLogger(__name__)

MAX_PAGES = 5
CLINIC_LIFE = 600.0  # seconds that a clinic's name and address are remembered
_MAX_CLINICS = 1_000
_MAX_ANSWER_BYTES = 2 * 1024 * 1024
_MAX_BRACKETS = 100_000
_NOBODY = "00000000000"


class FhirCards:
    """Searches and reads. `timeout` bounds each request, twice as much a whole question; both in seconds."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        proxy: str | None = None,
        timeout: float = 4.0,
        systems: Systems | None = None,
        page_size: int = 50,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._systems = systems or Systems()
        self._page_size = page_size
        self._patience = 2 * timeout
        self._clinics: dict[str, tuple[float, Organization]] = {}
        self._client = JsonClient(
            self._base_url,
            name="fhir",
            headers={"Accept": "application/fhir+json", "Authorization": f"Bearer {token}"},
            timeout=timeout,
            proxy=proxy,
            max_answer_bytes=_MAX_ANSWER_BYTES,
            max_brackets=_MAX_BRACKETS,
            transport=transport,
        )

    async def cards_by_snils(self, snils: str) -> list[RegistryCard]:
        """Cards of the person with this СНИЛС (11 digits); empty when there is none.

        Raises:
            RegistryUnavailable: no good answer.
        """
        async with self._bounded():
            found = await self._search(
                "Patient",
                identifier=f"{self._systems.snils}|{snils}",
                _include="Patient:organization",
                _revinclude="Coverage:beneficiary",
            )
            theirs = [p for p in found.patients.values() if snils in numbers(p.identifier, self._systems.snils)]
            return self._unless_unusable(await self._cards(theirs, found), found)

    async def cards_by_policy(self, oms_policy: str) -> list[RegistryCard]:
        """Cards that this ОМС policy (16 digits) covers; empty when there is none.

        Raises:
            RegistryUnavailable: no good answer.
        """
        async with self._bounded():
            found = await self._search(
                "Coverage",
                **{
                    "identifier": f"{self._systems.policy}|{oms_policy}",
                    "_include": "Coverage:beneficiary",
                    "_include:iterate": "Patient:organization",
                },
            )
            covering = [c for c in found.coverages.values() if policy_number(c, self._systems) == oms_policy]
            holders = await asyncio.gather(*(self._holder(coverage, found) for coverage in covering))
            theirs = {str(patient.id): patient for patient in holders if patient is not None}
            return self._unless_unusable(await self._cards(theirs.values(), found), found)

    async def card(self, ref: str) -> RegistryCard | None:
        """One card as it is now; None when the registry says 404 or 410 in FHIR's words, or it is no card any more.

        Raises:
            RegistryUnavailable: no good answer; a 404 without an OperationOutcome is a wrong base URL.
        """
        async with self._bounded():
            patient = await self._patient(ref)
            cards = await self._cards([patient], Found()) if patient is not None else []
            return cards[0] if cards else None

    async def check(self) -> str:
        """Whether the registry speaks FHIR R4 and takes the token; asks for a СНИЛС that no one has.

        Raises:
            RegistryUnavailable: no good answer.
        """
        async with self._bounded():
            status, answer = await self._client.get("/metadata", params={"_summary": "true"})
            capabilities = _good(status, answer)
            version = str(capabilities.get("fhirVersion"))[:16]
            if capabilities.get("resourceType") != "CapabilityStatement" or not version.startswith(("4.0", "4.3")):
                raise RegistryUnavailable("fhir: the server does not say that it speaks FHIR R4")
            await self._search("Patient", identifier=f"{self._systems.snils}|{_NOBODY}")
            return f"The registry of cards at {self._base_url} speaks FHIR R4 and takes the token."

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    async def _search(self, kind: str, **parameters: str) -> Found:
        found = Found()
        form = {**parameters, "_count": str(self._page_size)}
        status, answer = await self._client.post_form(f"/{kind}/_search", form, idempotent=True)
        for _ in range(MAX_PAGES - 1):
            link = found.take_bundle(_good(status, answer))
            if not link:
                return found
            path = path_below(self._base_url, link)
            if path is None:
                # The token is for this registry only, and half a list would pass for a whole one.
                raise RegistryUnavailable("fhir: the next page is at another place")
            status, answer = await self._client.get(path)
        if found.take_bundle(_good(status, answer)):
            log.warning("The registry of cards has over %d pages for one person; the rest is left out", MAX_PAGES)
        return found

    async def _cards(self, patients: Iterable[Patient], found: Found) -> list[RegistryCard]:
        cards = [patient for patient in patients if is_card(patient, self._systems)]
        return list(await asyncio.gather(*(self._card(patient, found) for patient in cards)))

    async def _card(self, patient: Patient, found: Found) -> RegistryCard:
        clinic_id = local_id(patient.managingOrganization, "Organization", self._base_url)
        clinic = found.organizations.get(clinic_id) or (await self._clinic(clinic_id) if clinic_id else None)
        # With not one policy in the answer the server may just not know `_revinclude`: asked once more, plainly.
        if not found.coverages:
            found = await self._search("Coverage", beneficiary=f"Patient/{patient.id}")
        return card_of(patient, clinic, found.policies_of(str(patient.id), self._base_url), self._systems)

    async def _holder(self, coverage: Coverage, found: Found) -> Patient | None:
        patient_id = local_id(coverage.beneficiary, "Patient", self._base_url)
        return found.patients.get(patient_id) or await self._patient(patient_id)

    async def _patient(self, ref: str) -> Patient | None:
        try:
            known_id(ref)
        except ValueError:
            return None
        found = await self._read("Patient", ref)
        if found is not None and ref not in found.patients:
            raise RegistryUnavailable("fhir: a read answered with no usable Patient")
        return found.patients[ref] if found is not None else None

    async def _clinic(self, clinic_id: str) -> Organization | None:
        """By its id, from memory if that is fresh; None when the registry has none that can be used."""
        known = self._clinics.get(clinic_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = await self._read("Organization", clinic_id)
        clinic = found.organizations.get(clinic_id) if found is not None else None
        if clinic is not None:
            if len(self._clinics) >= _MAX_CLINICS:
                self._clinics.clear()
            self._clinics[clinic_id] = (time.monotonic() + CLINIC_LIFE, clinic)
        return clinic

    async def _read(self, kind: str, resource_id: str) -> Found | None:
        status, answer = await self._client.get(f"/{kind}/{resource_id}")
        if status in (404, 410) and outcome(answer) != "no OperationOutcome":
            return None
        found = Found()
        found.take(_good(status, answer))
        return found

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError:
            raise RegistryUnavailable(f"fhir: no answer within {self._patience:g} s") from None
        except DeliveryFailed as error:
            raise RegistryUnavailable(error.detail) from None

    @staticmethod
    def _unless_unusable(cards: list[RegistryCard], found: Found) -> list[RegistryCard]:
        if not cards and found.unusable:
            raise RegistryUnavailable("fhir: nothing usable among the records found")
        return cards


def _good(status: int, answer: Any) -> dict[str, Any]:
    if status != 200 or not isinstance(answer, dict) or answer.get("resourceType") == "OperationOutcome":
        raise RegistryUnavailable(f"fhir: HTTP {status}, {outcome(answer)}")
    return answer
